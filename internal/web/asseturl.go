// Copyright The Darwaza Authors.
// SPDX-License-Identifier: Apache-2.0

package web

// AssetURL returns the address of a static file by name, such as "base.css", for pages
// that are served beside these, as the demonstration's are.
func AssetURL(name string) (string, error) {
	a, err := loadAssets(assetFiles)
	if err != nil {
		return "", err
	}
	return a.url(name)
}
