// What other projects' implementations of transparency logs say of ours: one JSON request a line on standard input,
// one JSON answer a line on standard output. An answer's "error" is empty where they accept.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Do         string
	Index      int64
	First      int64
	Second     int64
	Leaf       []byte
	FirstRoot  []byte
	SecondRoot []byte
	Path       [][]byte
	Data       []byte
	Text       string
	Origin     string
	Key        string
	Witness    string
	Dir        string
}

type answer struct {
	Error  string   `json:"error"`  // golang.org/x/mod/sumdb, or the only one asked
	Merkle string   `json:"merkle"` // github.com/transparency-dev/merkle
	Data   []byte   `json:"data"`
	Size   uint64   `json:"size"`
	Names  []string `json:"names"`
	Time   int64    `json:"time"`
	All    [][]byte `json:"all"`
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// hashes makes fixed-size hashes of a path, or fails where one has another length.
func hashes(path ...[]byte) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(path))
	for i, one := range path {
		if len(one) != tlog.HashSize {
			return nil, errors.New("not a hash")
		}
		copy(found[i][:], one)
	}
	return found, nil
}

func inclusion(r request) (a answer) {
	a.Merkle = said(proof.VerifyInclusion(
		rfc6962.DefaultHasher, uint64(r.Index), uint64(r.Second), r.Leaf, r.Path, r.SecondRoot))
	ends, err := hashes(r.Leaf, r.SecondRoot)
	path, err2 := hashes(r.Path...)
	if err == nil && err2 == nil {
		err = tlog.CheckRecord(path, r.Second, ends[1], r.Index, ends[0])
	}
	a.Error = said(errors.Join(err, err2))
	return a
}

func consistency(r request) (a answer) {
	a.Merkle = said(proof.VerifyConsistency(
		rfc6962.DefaultHasher, uint64(r.First), uint64(r.Second), r.Path, r.FirstRoot, r.SecondRoot))
	ends, err := hashes(r.FirstRoot, r.SecondRoot)
	path, err2 := hashes(r.Path...)
	if err == nil && err2 == nil {
		err = tlog.CheckTree(path, r.Second, ends[1], r.First, ends[0])
	}
	a.Error = said(errors.Join(err, err2))
	return a
}

// open verifies a signed checkpoint by the log's key and, where one is given, a witness's.
func open(r request) (a answer) {
	verifier, err := note.NewVerifier(r.Key)
	if err != nil {
		return answer{Error: said(err)}
	}
	var witnesses []note.Verifier
	if r.Witness != "" {
		witness, err := fnote.NewVerifierForCosignatureV1(r.Witness)
		if err != nil {
			return answer{Error: said(err)}
		}
		witnesses = append(witnesses, witness)
	}
	checkpoint, _, opened, err := log.ParseCheckpoint(r.Data, r.Origin, verifier, witnesses...)
	if err != nil {
		return answer{Error: said(err)}
	}
	for _, one := range opened.Sigs {
		a.Names = append(a.Names, one.Name)
		if len(witnesses) == 1 && one.Hash == witnesses[0].KeyHash() {
			at, err := fnote.CoSigV1Timestamp(one)
			if err != nil {
				return answer{Error: said(err)}
			}
			a.Time = at.Unix()
		}
	}
	again, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil || again.String() != opened.Text || again.N != int64(checkpoint.Size) {
		return answer{Error: fmt.Sprintf("read otherwise: %v", err)}
	}
	a.Data, a.Size = checkpoint.Hash, checkpoint.Size
	return a
}

func sign(r request) (a answer) {
	signer, err := note.NewSigner(r.Key)
	if err != nil {
		return answer{Error: said(err)}
	}
	witness, err := fnote.NewSignerForCosignatureV1(r.Witness)
	if err != nil {
		return answer{Error: said(err)}
	}
	a.Data, err = note.Sign(&note.Note{Text: r.Text}, signer, witness)
	a.Error = said(err)
	return a
}

// cosigner makes torchwood's own signer of a witness's key as C2SP signed-note writes it, private half included.
func cosigner(key string) (*torchwood.CosignatureSigner, error) {
	parts := strings.SplitN(key, "+", 5) // PRIVATE, KEY, name, id, kind and seed
	if len(parts) != 5 {
		return nil, errors.New("no key")
	}
	seed, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize || seed[0] != 4 {
		return nil, errors.New("no witness's key")
	}
	return torchwood.NewCosignatureSigner(parts[2], ed25519.NewKeyFromSeed(seed[1:]))
}

// cosign has torchwood verify a witness's signature on a note, and adds one that it makes itself.
func cosign(r request) (a answer) {
	signer, err := cosigner(r.Witness)
	if err != nil {
		return answer{Error: said(err)}
	}
	opened, err := note.Open(r.Data, note.VerifierList(signer.Verifier()))
	if err != nil {
		return answer{Error: said(err)}
	}
	if a.Time, err = torchwood.CosignatureTimestamp(opened.Sigs[0]); err != nil {
		return answer{Error: said(err)}
	}
	a.Names = []string{signer.Verifier().String()}
	a.Data, err = note.Sign(&note.Note{Text: opened.Text}, signer)
	a.Error = said(err)
	return a
}

// propose is a log of numbered entries, which sends a witness its checkpoint with a proof by golang.org/x/mod.
func propose(r request) (a answer) {
	signer, err := note.NewSigner(r.Key)
	if err != nil {
		return answer{Error: said(err)}
	}
	witness, err := fnote.NewVerifierForCosignatureV1(r.Witness)
	if err != nil {
		return answer{Error: said(err)}
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) (found []tlog.Hash, err error) {
		for _, one := range at {
			found = append(found, stored[one])
		}
		return found, nil
	})
	for index := int64(0); index < r.Second; index++ {
		entry := []byte(fmt.Sprintf("%s %d", r.Dir, index))
		if index < r.Index { // as far as it is the same log, whatever it calls itself
			entry = []byte(fmt.Sprintf("entry %d", index))
		}
		more, err := tlog.StoredHashes(index, entry, reader)
		if err != nil {
			return answer{Error: said(err)}
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(r.Second, reader)
	if err != nil {
		return answer{Error: said(err)}
	}
	text := torchwood.Checkpoint{Origin: r.Origin, Tree: tlog.Tree{N: r.Second, Hash: root}}.String()
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return answer{Error: said(err)}
	}
	body := fmt.Sprintf("old %d\n", r.First)
	if 0 < r.First && r.First < r.Second {
		path, err := tlog.ProveTree(r.Second, r.First, reader)
		if err != nil {
			return answer{Error: said(err)}
		}
		for _, one := range path {
			body += one.String() + "\n"
		}
	}
	response, err := http.Post(r.Text+"/add-checkpoint", "", strings.NewReader(body+"\n"+string(signed)))
	if err != nil {
		return answer{Error: said(err)}
	}
	defer response.Body.Close()
	if a.Data, err = io.ReadAll(response.Body); err != nil {
		return answer{Error: said(err)}
	}
	a.Size = uint64(response.StatusCode)
	if response.StatusCode != http.StatusOK {
		return a
	}
	opened, err := note.Open(append(signed, a.Data...), note.VerifierList(witness))
	if err != nil {
		return answer{Error: said(err)}
	}
	at, err := fnote.CoSigV1Timestamp(opened.Sigs[0])
	if err != nil {
		return answer{Error: said(err)}
	}
	a.Time = at.Unix()
	return a
}

// directory serves a log's tiles to torchwood's client from files.
type directory string

func (d directory) ReadTiles(_ context.Context, tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		one, err := d.ReadEndpoint(context.Background(), torchwood.TilePath(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, one)
	}
	return data, nil
}

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (d directory) ReadEndpoint(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), path))
}

// read lets torchwood's client read every entry from a directory, each proven in the tree.
func read(r request) (a answer) {
	root, err := hashes(r.SecondRoot)
	if err != nil {
		return answer{Error: said(err)}
	}
	tree := tlog.Tree{N: r.Second, Hash: root[0]}
	client, err := torchwood.NewClient(directory(r.Dir))
	if err != nil {
		return answer{Error: said(err)}
	}
	for index, entry := range client.Entries(context.Background(), tree, 0) {
		if index != int64(len(a.All)) {
			return answer{Error: "out of order"}
		}
		a.All = append(a.All, entry)
	}
	if client.Err() != nil {
		return answer{Error: said(client.Err())}
	}
	for index := int64(len(a.All)); index < tree.N; index++ { // a partial last bundle, which it may leave for later
		entry, _, err := client.Entry(context.Background(), tree, index)
		if err != nil {
			return answer{Error: said(err)}
		}
		a.All = append(a.All, entry)
	}
	return a
}

func tile(r request) (a answer) {
	found, err := torchwood.ParseTilePath(r.Text)
	if err != nil {
		return answer{Error: said(err)}
	}
	a.Data = []byte(fmt.Sprintf("%d %d %d", found.L, found.N, found.W))
	return a
}

func main() {
	does := map[string]func(request) answer{
		"inclusion": inclusion, "consistency": consistency, "open": open, "sign": sign, "read": read, "tile": tile,
		"cosign": cosign, "propose": propose,
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Encode(does[r.Do](r)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if lines.Err() != nil {
		fmt.Fprintln(os.Stderr, lines.Err())
		os.Exit(1)
	}
}
