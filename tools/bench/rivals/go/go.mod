module weft.dev/bench/rivals/go

go 1.19
