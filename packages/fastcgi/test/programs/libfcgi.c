/* A FastCGI program as people write them in C: libfcgi, one request after the other. The first part of PATH_INFO says what it does. */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *volatile grown;

/* Says that it is there, and waits for the file. */
static void hold(const char *file) {
  char begun[4096];
  FILE *made;
  snprintf(begun, sizeof begun, "%s.begun", file);
  if ((made = fopen(begun, "w")) != NULL) fclose(made);
  while (access(file, F_OK) != 0) usleep(2000);
}

/* All of the input, back again, at the pace of who reads. */
static void echo(FCGX_Request *r) {
  char piece[16384];
  int n;
  FCGX_FPrintF(r->out, "Content-Type: application/octet-stream\r\n\r\n");
  while ((n = FCGX_GetStr(piece, sizeof piece, r->in)) > 0) FCGX_PutStr(piece, n, r->out);
}

static void variables(FCGX_Request *r) {
  char **one;
  FCGX_FPrintF(r->out, "Content-Type: text/plain\r\n\r\n");
  for (one = r->envp; *one != NULL; one++) FCGX_FPrintF(r->out, "%s\n", *one);
}

static void serve(FCGX_Request *r, int served) {
  const char *path = FCGX_GetParam("PATH_INFO", r->envp);
  const char *query = FCGX_GetParam("QUERY_STRING", r->envp);
  if (strcmp(path, "/echo") == 0) { echo(r); return; }
  if (strcmp(path, "/variables") == 0) { variables(r); return; }
  if (strcmp(path, "/crash") == 0) _exit(3);
  if (strcmp(path, "/half") == 0) {
    FCGX_FPrintF(r->out, "Content-Type: text/plain\r\n\r\nhalf");
    FCGX_FFlush(r->out);
    if (*query) hold(query);
    _exit(3);
  }
  if (strcmp(path, "/hold") == 0) hold(query);
  if (strcmp(path, "/hang") == 0) for (;;) pause();
  if (strcmp(path, "/grow") == 0) {
    grown = malloc(64 << 20);
    if (grown != NULL) memset(grown, served + 1, 64 << 20);
  }
  if (strcmp(path, "/error") == 0) FCGX_FPrintF(r->err, "a word for the log\n");
  FCGX_FPrintF(r->out, "Content-Type: text/plain\r\nX-Served: %d\r\n\r\n%d", served, (int)getpid());
}

int main(int argc, char **argv) {
  FCGX_Request r;
  int served = 0;
  if (argc > 1 && strcmp(argv[1], "broken") == 0) {
    fprintf(stderr, "no licence\n");
    return 3;
  }
  if (argc > 1 && strcmp(argv[1], "mute") == 0) for (;;) pause();
  if (argc > 1 && strcmp(argv[1], "stubborn") == 0) signal(SIGTERM, SIG_IGN);
  if (argc > 2 && strcmp(argv[1], "unless") == 0 && access(argv[2], F_OK) == 0) return 3;
  FCGX_Init();
  FCGX_InitRequest(&r, 0, 0);
  while (FCGX_Accept_r(&r) == 0) {
    serve(&r, ++served);
    FCGX_Finish_r(&r);
    if (argc > 2 && strcmp(argv[1], "serves") == 0 && served >= atoi(argv[2])) return 0;
  }
  return 0;
}
