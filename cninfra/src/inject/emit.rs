//! The code that `#[plugin]` generates, apart from what only the attribute can know. A `macro_rules!` macro takes the
//! compiler a fraction of the time that a procedural macro takes to write the same tokens.

/// The impls of a plugin.
#[doc(hidden)]
#[macro_export]
macro_rules! __plugin {
    // For a plugin that is not generic, has named fields, and is built by the attribute.
    (
        $name:ident $text:literal $id:literal $instance:literal $instance_id:literal
        [$x0:ident $x1:ident $x2:ident $x3:ident $x4:ident $x5:ident $x6:ident]
        deps [$($field:ident $var:ident $via:ident $konst:ident {$($key:tt)*})*] {$($list:tt)*}
        blank [$($member:ident {$($blank:tt)*})*]
        other [$($other:ident {$($value:tt)*})*] $cx:ident
        [$({$($worded:tt)*})*] [$({$($within:tt)*})*] [$({$($beside:tt)*})*] {$($extras:tt)*} $made:ident {$($items:tt)*}
    ) => {
        #[allow(deprecated)]
        const _: () = {
            $(const _: ::core::primitive::usize = {
                #[allow(unused_imports)]
                use $crate::private::IsNot as _;
                $($beside)*
            };)*
            $($items)*
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl $crate::private::Key for $name {
                const META: &'static $crate::private::KeyMeta = &$crate::private::KeyMeta {
                    name: $text, module: ::core::module_path!(), id: $id, instance: $instance, instance_id: $instance_id,
                };
                type Digits<Tail: $crate::private::Digits + ?$crate::private::Sized> = $crate::private::$x0<$crate::private::$x1<
                    $crate::private::$x2<$crate::private::$x3<$crate::private::$x4<$crate::private::$x5<$crate::private::$x6<Tail>>>>>>>;
            }
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl $crate::private::Plugin for $name {
                $($list)*
                type Itself = Self;
                const PLUGIN: &'static $crate::private::PluginMeta = {
                    $(let _: <$($worded)* as $crate::private::Worded>::Is;)*
                    $(let _: <$crate::private::Sound<{
                        #[allow(unused_imports)]
                        use $crate::private::IsNot as _;
                        $($within)*
                    }> as $crate::private::Pass>::Of<()> = ();)*
                    &$crate::private::PluginMeta {
                        key: <Self as $crate::private::Key>::META,
                        deps: &[$(<$($key)* as $crate::private::$via>::$konst),*],
                        $($extras)*
                    }
                };
                fn create<'__slot>(
                    __slot: &'__slot $crate::private::Slot<Self>,
                    ($($var,)*): Self::Deps,
                    $cx: &$crate::private::Context,
                ) -> $crate::private::Creation<'__slot> {
                    $crate::private::created(__slot, $made {
                        $($field: $var,)*
                        $($member: <$($blank)* as $crate::private::Blank>::blank(),)*
                        $($other: $($value)*,)*
                    })
                }
                fn running(__this: &$crate::private::Dep<Self>) -> $crate::private::Made {
                    #[allow(unused_imports)]
                    use $crate::private::WithoutLifecycle as _;
                    $crate::private::Probe::<$name>::running(__this)
                }
            }
        };
    };
}

/// The impls of a plugin that lists its dependencies. `Key` is written here as well, since a separate macro for it
/// would cost the compiler more.
#[doc(hidden)]
#[macro_export]
macro_rules! __listed {
    // For a plugin that is not generic.
    (
        $name:ident $text:literal $id:literal $instance:literal $instance_id:literal
        [$x0:ident $x1:ident $x2:ident $x3:ident $x4:ident $x5:ident $x6:ident]
        {$($deps:tt)*} {$($metas:tt)*} $slot:ident $given:ident $cx:ident {$($construct:tt)*}
        [$({$($within:tt)*})*] [$({$($beside:tt)*})*] {$($extras:tt)*}
    ) => {
        #[allow(deprecated)]
        const _: () = {
            #[allow(unused_imports)]
            use $crate::private::Argument as __CninfraArgument;
            $(const _: ::core::primitive::usize = {
                #[allow(unused_imports)]
                use $crate::private::IsNot as _;
                $($beside)*
            };)*
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl $crate::private::Key for $name {
                const META: &'static $crate::private::KeyMeta = &$crate::private::KeyMeta {
                    name: $text, module: ::core::module_path!(), id: $id, instance: $instance, instance_id: $instance_id,
                };
                type Digits<Tail: $crate::private::Digits + ?$crate::private::Sized> = $crate::private::$x0<$crate::private::$x1<
                    $crate::private::$x2<$crate::private::$x3<$crate::private::$x4<$crate::private::$x5<$crate::private::$x6<Tail>>>>>>>;
            }
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl $crate::private::DepsOf<$name> for $crate::private::Attribute {
                $($deps)*
            }
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl $crate::private::Plugin for $name {
                type Deps = <$crate::private::Attribute as $crate::private::DepsOf<$name>>::Deps;
                type Itself = Self;
                const PLUGIN: &'static $crate::private::PluginMeta = {
                    $(let _: <$crate::private::Sound<{
                        #[allow(unused_imports)]
                        use $crate::private::IsNot as _;
                        $($within)*
                    }> as $crate::private::Pass>::Of<()> = ();)*
                    &$crate::private::PluginMeta {
                        key: <Self as $crate::private::Key>::META,
                        deps: $($metas)*,
                        $($extras)*
                    }
                };
                fn create<'__slot>(
                    $slot: &'__slot $crate::private::Slot<Self>,
                    $given: <$crate::private::Attribute as $crate::private::DepsOf<$name>>::Deps,
                    $cx: &$crate::private::Context,
                ) -> $crate::private::Creation<'__slot> {
                    $($construct)*
                }
                fn running(__this: &$crate::private::Dep<Self>) -> $crate::private::Made {
                    #[allow(unused_imports)]
                    use $crate::private::WithoutLifecycle as _;
                    $crate::private::Probe::<$name>::running(__this)
                }
            }
        };
    };
}

/// The declarations of a flavor's fields.
#[doc(hidden)]
#[macro_export]
macro_rules! __fields {
    ($({$($name:tt)*} {$($item:tt)*} $of:ident $konst:ident {$($ty:tt)*} {$($bindings:tt)*})*) => {
        [$($crate::private::Field {
            name: $($name)*,
            item: $crate::private::$($item)*(<$($ty)* as $crate::private::$of>::$konst),
            provides: $($bindings)*,
        }),*]
    };
}

/// The same if some of them are known only if a type is. A separate macro, since optional parts cost the compiler
/// something for each field.
#[doc(hidden)]
#[macro_export]
macro_rules! __fields_if {
    ($({$($name:tt)*} {$($item:tt)*} $of:ident $([$($known:tt)*])? $konst:ident {$($ty:tt)*} {$($bindings:tt)*})*) => {
        [$($crate::private::Field {
            name: $($name)*,
            item: $crate::private::$($item)*(<$($ty)* as $crate::private::$of $(<$($known)*>)?>::$konst),
            provides: $($bindings)*,
        }),*]
    };
}
