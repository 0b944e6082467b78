<!doctype html>
<html lang="en">
  <title>It works</title>
  <p>PHP <?= PHP_MAJOR_VERSION ?>.<?= PHP_MINOR_VERSION ?>: put your application at /srv/www.</p>
</html>
