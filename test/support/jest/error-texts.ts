/**
 * Remembers the words of every error that a test file produces, so that no approved table but that of the texts contains them
 * (`test/support/approved/approved-table.ts`). Those of servers are data.
 */
import * as fs from 'node:fs';
import type * as serverErrors from '../../../lib/errors/server-error';
import type { ServerError } from '../../../lib/errors/server-error';

/** Shorter ones are also part of other texts. */
const MIN_LENGTH = 20;

/** Property tests make many errors, each with its own words. */
const MAX_TEXTS = 20_000;

const texts = new Set<string>();
// Tables read it from the global object: a module that they import is another one than this.
Object.assign(globalThis, { textsOfErrors: texts });

function remember({ message, suggestion, isServerText, serverText = '' }: ServerError): void {
	const isOfServer = isServerText === true || serverText.includes(message);
	for (const text of [isOfServer ? '' : message, suggestion])
		if (text.length >= MIN_LENGTH && texts.size < MAX_TEXTS) texts.add(text);
}

/** Only a file with a table needs it: a class that remembers costs each property test time. */
const { testPath } = expect.getState();
const hasTable = testPath !== undefined && fs.readFileSync(testPath, 'utf8').includes('/approved');

if (hasTable)
	jest.doMock('../../../lib/errors/server-error', () => {
		const actual = jest.requireActual<typeof serverErrors>('../../../lib/errors/server-error');
		const ServerErrorClass = new Proxy(actual.ServerError, {
			construct(target, args: ConstructorParameters<typeof actual.ServerError>) {
				const error = new target(...args);
				remember(error);
				return error;
			},
		});
		const { copyWith } = actual.ServerError.prototype;
		actual.ServerError.prototype.copyWith = function copy(changes): ServerError {
			const error = copyWith.call(this, changes);
			remember(error);
			return error;
		};
		return Object.create(actual, {
			ServerError: { value: ServerErrorClass, enumerable: true },
		}) as object;
	});
