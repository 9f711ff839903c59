// An etcd of the version that go.mod pins, for the tests: the server as its own `main` starts it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
