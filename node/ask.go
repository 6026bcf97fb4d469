package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"go.etcd.io/etcd/api/v3/version"
)

// answer is what another member said on the peers' port.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get asks a member for a path, at each of its URLs until one answers with status 200.
func get(ctx context.Context, client *http.Client, urls []string, path string) (*answer, error) {
	var errs []error
	for _, url := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		a, err := ask(client, req)
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("%s%s: status %d: %.200q", url, path, a.status, a.body)
		}
		if err == nil {
			return a, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// ask sends a request, and reads the answer.
func ask(client *http.Client, req *http.Request) (*answer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	return &answer{resp.StatusCode, resp.Header, body}, nil
}

// getVersions asks a member for its versions.
func getVersions(ctx context.Context, client *http.Client, urls []string) (*version.Versions, error) {
	a, err := get(ctx, client, urls, versionPath)
	if err != nil {
		return nil, err
	}
	v := new(version.Versions)
	return v, json.Unmarshal(a.body, v)
}
