// libfcgi: `fastcgi SOCKET PROCESSES`, one blocking loop in each process, as spawn-fcgi and fcgiwrap start it.
#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  static char big[1 << 20], buffer[65536];
  if (argc != 3) return 2;
  memset(big, 'x', sizeof big);
  FCGX_Init();
  int listener = FCGX_OpenSocket(argv[1], 128);
  for (int count = atoi(argv[2]); count > 1; count--) if (fork() == 0) break;
  FCGX_Request request;
  FCGX_InitRequest(&request, listener, 0);
  while (FCGX_Accept_r(&request) == 0) {
    const char *query = FCGX_GetParam("QUERY_STRING", request.envp);
    const char *method = FCGX_GetParam("REQUEST_METHOD", request.envp);
    if (query && strcmp(query, "big") == 0) {
      FCGX_FPrintF(request.out, "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n", (int)sizeof big);
      FCGX_PutStr(big, sizeof big, request.out);
    } else if (method && strcmp(method, "POST") == 0) {
      int sum = 0, count;
      while ((count = FCGX_GetStr(buffer, sizeof buffer, request.in)) > 0) sum += count;
      FCGX_FPrintF(request.out, "Content-Type: text/plain\r\nContent-Length: 8\r\n\r\n%08d", sum);
    } else {
      FCGX_FPrintF(request.out, "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n");
    }
    FCGX_Finish_r(&request);
  }
  return 0;
}
