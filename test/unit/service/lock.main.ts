/* Acquires the lock of the folder given as argument, prints `held` or `taken`, and holds the lock until it is killed. */
import { ServiceLock } from '../../../src/service/lock';

void ServiceLock.acquire(process.argv[2] ?? '', () => undefined).then((lock) => {
  process.stdout.write(lock instanceof ServiceLock ? 'held\n' : 'taken\n');
  process.stdin.resume();
});
