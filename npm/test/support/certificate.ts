/** What HTTPS servers of tests show: signed by itself, for localhost and 127.0.0.1, good for nothing else. */

/**
 * Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=DNS:localhost,IP:127.0.0.1`.
 */
export const certificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRLjyKZdfvYZGa6tz
lFyPckqzqtdn7COUrAP8J6C5rxGhRANCAASISqJofq+/ca879xpcASW3gyA+h83X
0rw3Ctu3owJoVAalUyWBQ2VeRtzg1wGz5kq0dn46z7ctEOoa8IvJGdLN
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUbl86piewITPn/bmgOCT+IkHmpq8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE1MTQyOFoYDzIxMjYxMDI4
MTUxNDI4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASISqJofq+/ca879xpcASW3gyA+h83X0rw3Ctu3owJoVAalUyWBQ2Ve
Rtzg1wGz5kq0dn46z7ctEOoa8IvJGdLNo28wbTAdBgNVHQ4EFgQUPiW64tn2GYm4
AxsrMU/YL3aiLt8wHwYDVR0jBBgwFoAUPiW64tn2GYm4AxsrMU/YL3aiLt8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgXCb4RgiqM6brgEAcI5Uny+8C1JIYnM1ot59uKBVuTUQCIHC2
q+2+CV0b2H29hSndGBjB4xF/vPLT3tqWhzA1MwQx
-----END CERTIFICATE-----
`,
}
