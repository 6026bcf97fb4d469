// Package confchange computes the membership that follows from another by a change, and refuses the
// changes that would break agreement between the old majority and the new.
//
// There are two ways. A simple change moves at most one voter, so that every old majority and every
// new one share a member (dissertation, section 4.1). Any other change passes through a joint
// configuration, in which decisions need a majority of both (section 4.3). A voter that becomes a
// learner in a joint change keeps voting until the joint configuration is left.
package confchange
