"""Arms answer the benchmarks: generations, answers read from them, votes over them."""
