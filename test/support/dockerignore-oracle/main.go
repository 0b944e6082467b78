// What moby's own code makes of a .dockerignore: the source of test/golden/definition/dockerignore.json. To make it again:
// go mod init oracle && go get github.com/tonistiigi/fsutil github.com/moby/patternmatcher && go build
package main

import (
	"context"
	"encoding/json"
	gofs "io/fs"
	"os"
	"strings"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
)

// Reads [rules…] on standard input, walks the folder in argv as the build client does, prints [[path…] or null, …].
func main() {
	var rules []string
	if err := json.NewDecoder(os.Stdin).Decode(&rules); err != nil {
		panic(err)
	}
	out := make([][]string, len(rules))
	for i, text := range rules {
		patterns, err := ignorefile.ReadAll(strings.NewReader(text))
		if err != nil {
			continue
		}
		root, err := fsutil.NewFS(os.Args[1])
		if err != nil {
			panic(err)
		}
		kept := []string{}
		filtered, err := fsutil.NewFilterFS(root, &fsutil.FilterOpt{ExcludePatterns: patterns})
		if err == nil {
			err = filtered.Walk(context.TODO(), "", func(path string, entry gofs.DirEntry, err error) error {
				if err == nil && path != "" {
					kept = append(kept, path)
				}
				return err
			})
		}
		if err == nil {
			out[i] = kept
		}
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
