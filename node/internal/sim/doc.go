// Package sim runs clusters.
package sim
