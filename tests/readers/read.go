// Go's standard packages.
package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	method, file := os.Args[1], os.Args[2]
	if method == "http" {
		response, err := http.Get(file)
		check(err)
		copyTo(os.Stdout, response.Body)
		return
	}
	input, err := os.Open(file)
	check(err)
	// bufio.Reader has a ReadByte method, so that the gzip reader reads nothing past the member.
	reader, err := gzip.NewReader(bufio.NewReader(input))
	check(err)
	switch method {
	case "Reader":
		copyTo(os.Stdout, reader)
	case "Multistream(false)":
		reader.Multistream(false)
		copyTo(os.Stdout, reader)
	case "tar":
		extract(tar.NewReader(reader))
	default:
		log.Fatal("unknown method: ", method)
	}
}

func extract(archive *tar.Reader) {
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return
		}
		check(err)
		if header.Typeflag != tar.TypeReg {
			continue
		}
		check(os.MkdirAll(filepath.Dir(header.Name), 0o755))
		output, err := os.Create(header.Name)
		check(err)
		copyTo(output, archive)
		check(output.Close())
	}
}

func copyTo(output io.Writer, input io.Reader) {
	_, err := io.Copy(output, input)
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
