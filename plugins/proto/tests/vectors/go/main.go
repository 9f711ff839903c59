// Prints the output of encoding/json for the structs that golang/protobuf generated at the time of v1.
// Each vector has two lines: the name and the binary message in base64, then the JSON.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes/timestamp"

	"vectors/kinds"
	"vectors/old"
)

func show(name string, m proto.Message) {
	var b proto.Buffer
	b.SetDeterministic(true)
	err := b.Marshal(m)
	wire := b.Bytes()
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		text = []byte("error")
	}
	fmt.Printf("%s %T %s\n%s\n", name, m, base64.StdEncoding.EncodeToString(wire), text)
}

func main() {
	type all = kinds.All
	show("empty", &all{})
	show("extremes", &all{DoubleValue: math.MaxFloat64, FloatValue: math.MaxFloat32, Int32Value: math.MinInt32, Int64Value: math.MinInt64,
		Uint32Value: math.MaxUint32, Uint64Value: math.MaxUint64, Sint64Value: -1, Fixed64Value: 1 << 63, BoolValue: true})
	show("smallest", &all{DoubleValue: math.SmallestNonzeroFloat64, FloatValue: math.SmallestNonzeroFloat32, Int64Value: 1<<53 + 1})
	show("doubles", &all{Doubles: []float64{0, math.Copysign(0, -1), 1, -1.5, 0.1, 1e20, 1e21, 123456789e15, 1e-6, 9.99e-7, 1e-7, 1.25e-10, 1e100, 1e-300, 2.5e22, 100, 1.0 / 3}})
	show("floats", &all{Floats: []float32{0, 1, 0.1, 1e20, 1e21, 1e-6, 1e-7, 16777216, 3.4e38, 1.0 / 3, 7.038531e-26, 9.99e-7}})
	show("no-number", &all{DoubleValue: math.NaN()})
	show("infinite", &all{Floats: []float32{float32(math.Inf(1))}})
	show("html", &all{StringValue: "<a href=\"x\">&\\/'\u2028\u2029\u00e9\u20ac\U0001F600"})
	show("control", &all{StringValue: "\x00\x01\b\t\n\v\f\r\x1b\x1f\x7f\u0080"})
	show("bytes", &all{BytesValue: []byte{0, 1, 0xfe, 0xff, 0xfb}, Blobs: [][]byte{{1}, {}, {1, 2}, {1, 2, 3}}})
	show("enums", &all{Kind: kinds.Kind_WORK, Kinds: []kinds.Kind{0, 1, 2, 77}})
	show("times", &all{MadeAt: &timestamp.Timestamp{Seconds: 1500000000, Nanos: 5}})
	show("time-zero", &all{MadeAt: &timestamp.Timestamp{}})
	show("nested", &all{Nested: &all{Nested: &all{StringValue: "x"}, Others: []*all{{}, {Int32Value: 7}}}})
	show("maps", &all{Labels: map[string]string{"z": "1", "a": "2", "": "3", "<": "4"}, ByNumber: map[int32]string{10: "a", 2: "b", -1: "c"},
		BySize: map[uint64]kinds.Kind{math.MaxUint64: 1, 0: 0}, ByName: map[string]*all{"x": {}, "y": {BoolValue: true}}, BlobsByName: map[string][]byte{"a": {}, "b": {1}}})
	show("names", &all{CamelName: "x", Texts: []string{"", "y"}, Numbers: []int64{0, -1}})
	type c = kinds.Choice
	show("none", &c{Before: "b", After: "a"})
	show("text", &c{Before: "b", PayLoad: &kinds.Choice_FirstName{FirstName: "x"}, After: "a"})
	show("zero", &c{PayLoad: &kinds.Choice_Number{}})
	show("raw", &c{PayLoad: &kinds.Choice_Raw{Raw: []byte{}}})
	show("message", &c{PayLoad: &kinds.Choice_All{All: &all{Int32Value: 1}}})
	show("kind", &c{PayLoad: &kinds.Choice_Kind{Kind: 2}})
	show("taken", &c{PayLoad: &kinds.Choice_Reset_{Reset_: true}})
	show("old-least", &old.Old{Must: proto.Int32(0)})
	show("old", &old.Old{Text: proto.String(""), Number: proto.Int64(0), Flag: proto.Bool(false), Colour: old.Colour_BLUE.Enum(), Blob: []byte{1},
		Must: proto.Int32(1), Texts: []string{"a"}, Nested: &old.Old{Must: proto.Int32(3)}, Ratio: proto.Float64(0)})
}
