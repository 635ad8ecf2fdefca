// Go net/http/fcgi: `fastcgi SOCKET`.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
)

func main() {
	big := bytes.Repeat([]byte("x"), 1<<20)
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	panic(fcgi.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		switch {
		case r.URL.RawQuery == "big":
			w.Header().Set("Content-Length", "1048576")
			w.Write(big)
		case r.Method == "POST":
			count, _ := io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", "8")
			fmt.Fprintf(w, "%08d", count)
		default:
			w.Header().Set("Content-Length", "6")
			io.WriteString(w, "hello\n")
		}
	})))
}
