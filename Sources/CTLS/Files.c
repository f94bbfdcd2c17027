#define _GNU_SOURCE
#include "Library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ctls_say(char reason[CTLS_REASON], const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, CTLS_REASON, format, arguments);
  va_end(arguments);
}

/* Longer files are left to the library to judge. */
enum { LONGEST = 1 << 20 };

/* A file and what it is for. */
struct file {
  const char *what, *path;
  /* A word of what has to be in it, and the same for a person. */
  const char *word, *content;
  /* The tool's command that reads it. */
  const char *tool;
};

static int refuse(ctls_context *context, const struct file *file, const char *why, const char *more) {
  ctls_say(context->reason, "%s %s cannot be used: %s%s", file->what, file->path, why, more);
  context->ERR_clear_error();
  return 0;
}

static int refuse_number(ctls_context *context, const struct file *file, int number) {
  char user[64] = "";
  context->is_absent = number == ENOENT;
  if (number == EACCES) snprintf(user, sizeof user, " for the user with the number %u", (unsigned)geteuid());
  return refuse(context, file, strerror(number), user);
}

/* With the library's words for why. */
static int refuse_damaged(ctls_context *context, const struct file *file) {
  unsigned long code = context->ERR_get_error();
  const char *reason = code ? context->ERR_reason_error_string(code) : NULL;
  return refuse(context, file, "it is damaged: ", reason ? reason : "OpenSSL does not say how");
}

/* The outermost value of DER is a sequence; that of PKCS #12 begins with its version, which is 3. */
static int refuse_binary(ctls_context *context, const struct file *file, const unsigned char *bytes, size_t count) {
  size_t start = count > 1 && bytes[1] > 0x80 ? 2u + (bytes[1] & 0x7f) : 2;
  char cure[CTLS_REASON];
  if (start + 3 <= count && memcmp(bytes + start, "\2\1\3", 3) == 0) {
    ctls_say(cure, "it is PKCS #12; PEM is wanted: openssl pkcs12 -nodes -in %s -out NAME.pem", file->path);
  } else {
    ctls_say(cure, "it is DER; PEM is wanted: openssl %s -inform der -in %s -out NAME.pem", file->tool, file->path);
  }
  return refuse(context, file, cure, "");
}

static int judge(ctls_context *context, const struct file *file, const unsigned char *bytes, size_t count) {
  if (count == 0) return refuse(context, file, "it is empty", "");
  if (count == LONGEST || memmem(bytes, count, file->word, strlen(file->word))) return 1;
  if (bytes[0] == 0x30) return refuse_binary(context, file, bytes, count);
  return refuse(context, file, file->content, "");
}

/* What the library has no words for. Only files are read: a pipe's bytes are there once. */
static int look(ctls_context *context, const struct file *file) {
  struct stat status;
  if (stat(file->path, &status) < 0) return refuse_number(context, file, errno);
  if (S_ISDIR(status.st_mode))
    return refuse(context, file, strerror(EISDIR),
                  file->path == context->texts[CTLS_CA_FILE] ? "; one of authorities has '/' at the end of its name" : "");
  if (!S_ISREG(status.st_mode)) return 1;
  int fd = open(file->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refuse_number(context, file, errno);
  unsigned char *bytes = malloc(LONGEST);
  ssize_t count = 0, more = bytes ? 1 : 0;
  while (more > 0 && count < LONGEST) {
    more = read(fd, bytes + count, (size_t)(LONGEST - count));
    if (more > 0) count += more;
  }
  int number = bytes ? errno : ENOMEM;
  close(fd);
  int is_good = more < 0 || !bytes ? refuse_number(context, file, number) : judge(context, file, bytes, (size_t)count);
  if (bytes) explicit_bzero(bytes, (size_t)count);
  free(bytes);
  return is_good;
}

/* Whether the library may read it: `check` waits for no pipe's writer. */
static int may_read(ctls_context *context, const struct file *file) {
  struct stat status;
  return !context->is_check || (stat(file->path, &status) == 0 && S_ISREG(status.st_mode));
}

/* `0a1b2c3d.0`, by which the library finds an authority. */
static int is_hash(const char *name) {
  return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && strspn(name + 9, "0123456789") > 0;
}

static int look_into(ctls_context *context, const struct file *directory) {
  DIR *entries = opendir(directory->path);
  if (!entries) return refuse_number(context, directory, errno);
  int is_found = 0;
  for (struct dirent *entry; !is_found && (entry = readdir(entries));) is_found = is_hash(entry->d_name);
  closedir(entries);
  return is_found || refuse(context, directory, "no file in it is named by its hash: openssl rehash ", directory->path);
}

int ctls_use_authorities(ctls_context *context) {
  SSL_CTX *ssl = context->context;
  struct file file = {"the CA file", context->texts[CTLS_CA_FILE], "CERTIFICATE-----", "there is no certificate in it",
                      "x509"};
  struct file directory = {.what = "the CA directory", .path = context->texts[CTLS_CA_DIRECTORY]};
  if (file.path) {
    if (!look(context, &file)) return 0;
    if (may_read(context, &file) && !context->SSL_CTX_load_verify_file(ssl, file.path))
      return refuse_damaged(context, &file);
  }
  if (directory.path) {
    if (!look_into(context, &directory)) return 0;
    if (!context->SSL_CTX_load_verify_dir(ssl, directory.path)) return refuse_damaged(context, &directory);
  }
  if (!file.path && !directory.path) context->SSL_CTX_set_default_verify_paths(ssl);
  context->ERR_clear_error();
  return 1;
}

/* Without one of our own the library would ask whoever sits at the terminal, and wait. */
static int give_password(char *buffer, int capacity, int is_writing, void *user) {
  ctls_context *context = user;
  const char *password = context->texts[CTLS_KEY_PASSWORD];
  (void)is_writing;
  context->is_password_wanted = 1;
  size_t length = password ? strlen(password) : 0;
  if (!password || capacity < 0 || length > (size_t)capacity) return -1;
  memcpy(buffer, password, length);
  return (int)length;
}

static void forbid_questions(ctls_context *context) {
  context->is_password_wanted = 0;
  context->SSL_CTX_set_default_passwd_cb(context->context, give_password);
  context->SSL_CTX_set_default_passwd_cb_userdata(context->context, context);
}

int ctls_use_certificate(ctls_context *context) {
  struct file file = {"the certificate", context->texts[CTLS_CERTIFICATE], "CERTIFICATE-----",
                      "there is no certificate in it", "x509"};
  if (!file.path) return 1;
  if (!look(context, &file)) return 0;
  forbid_questions(context);
  if (may_read(context, &file) && context->SSL_CTX_use_certificate_chain_file(context->context, file.path) != 1)
    return refuse_damaged(context, &file);
  return 1;
}

const char *ctls_warning(ctls_context *context) {
  if (!context->is_password_needless) return NULL;
  context->is_password_needless = 0;
  const char *path = context->texts[CTLS_KEY] ? context->texts[CTLS_KEY] : context->texts[CTLS_CERTIFICATE];
  ctls_say(context->reason, "the key %s is not encrypted, and key_password has no effect: leave it out, or encrypt the "
           "key: openssl pkey -aes256 -in %s -out NAME.pem", path, path);
  return context->reason;
}

static int refuse_key(ctls_context *context, const struct file *file) {
  const char *certificate = context->texts[CTLS_CERTIFICATE];
  char cure[CTLS_REASON];
  if (context->is_password_wanted && context->texts[CTLS_KEY_PASSWORD])
    return refuse(context, file, "its password is another one than key_password", "");
  if (context->is_password_wanted) {
    ctls_say(cure, "it is encrypted: give its password, key_password, or decrypt it: openssl pkey -in %s -out NAME.pem",
             file->path);
    return refuse(context, file, cure, "");
  }
  unsigned long code = context->ERR_get_error();
  const char *reason = code ? context->ERR_reason_error_string(code) : NULL;
  if (certificate && (!reason || strstr(reason, "mismatch") || strstr(reason, "no certificate")))
    return refuse(context, file, "it does not belong to the certificate ", certificate);
  return refuse(context, file, "it is damaged: ", reason ? reason : "OpenSSL does not say how");
}

int ctls_use_key(ctls_context *context) {
  SSL_CTX *ssl = context->context;
  const char *path = context->texts[CTLS_KEY] ? context->texts[CTLS_KEY] : context->texts[CTLS_CERTIFICATE];
  struct file file = {"the key", path, "PRIVATE KEY-----", "there is no private key in it", "pkey"};
  if (!path) return 1;
  if (!look(context, &file)) return 0;
  if (!may_read(context, &file)) return 1;
  forbid_questions(context);
  context->ERR_clear_error();
  /* Without a certificate, which is another file's trouble, there is nothing to compare. A key of another sort than
     the certificate's hides it. */
  int has_certificate = context->SSL_CTX_get0_certificate(ssl) != NULL;
  if (context->SSL_CTX_use_PrivateKey_file(ssl, path, FILETYPE_PEM) != 1) return refuse_key(context, &file);
  if (has_certificate && !context->SSL_CTX_check_private_key(ssl))
    return refuse_key(context, &file);
  context->is_password_needless = context->texts[CTLS_KEY_PASSWORD] && !context->is_password_wanted;
  return 1;
}

int ctls_is_out_of_time(ctls_context *context, char words[CTLS_REASON]) {
  X509 *certificate = context->SSL_CTX_get0_certificate(context->context);
  if (!certificate) return 0;
  const ASN1_TIME *end = context->X509_get0_notAfter(certificate);
  int is_over = context->X509_cmp_current_time(end) < 0;
  const ASN1_TIME *time = is_over ? end : context->X509_get0_notBefore(certificate);
  struct tm date;
  if (!is_over && context->X509_cmp_current_time(time) <= 0) return 0;
  if (!context->ASN1_TIME_to_tm(time, &date)) return 0;
  ctls_say(words, "%s %04d-%02d-%02d", is_over ? "has expired on" : "is not valid before", date.tm_year + 1900,
           date.tm_mon + 1, date.tm_mday);
  return 1;
}
