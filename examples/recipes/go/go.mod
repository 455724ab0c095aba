module halfopen.invalid/ask

go 1.19
