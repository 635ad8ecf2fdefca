// Go net/http/cgi as a host: `cgi PORT PROGRAM`.
package main

import (
	"net/http"
	"net/http/cgi"
	"os"
)

func main() {
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], &cgi.Handler{Path: os.Args[2], Root: "/"}))
}
