//go:build !race

package onlooker

const fewSeeds = 500
