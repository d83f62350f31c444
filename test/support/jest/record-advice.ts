/**
 * Records every suggestion that a test produces, with the facts that were known at that moment: `jest.config.cjs` uses it
 * if `RECORD_ADVICE` names a file, and `advice-list.cjs` makes one list of the records of all workers.
 */
import type * as serverErrors from '../../../lib/errors/server-error';
import type { ServerError } from '../../../lib/errors/server-error';
import * as fs from 'node:fs';
import process from 'node:process';

/** One suggestion. */
interface Advice {
	type: string;
	suggestion: string;
	title: string;
	/** What the server wrote. */
	serverText: string;
	status: number | undefined;
	code: string | undefined;
	/** Names of the facts. */
	facts: string[];
	test: string;
}

const recorded = new Map<ServerError, Advice>();

function record(error: ServerError): void {
	const { type, suggestion, message, serverText = '', status, code, facts } = error;
	const known = Object.keys(facts).filter((name) => facts[name] !== undefined);
	const test = expect.getState().currentTestName ?? '';
	recorded.set(error, {
		type,
		suggestion,
		title: message,
		serverText: serverText.slice(0, 200),
		status,
		code,
		facts: known.sort(),
		test,
	});
}

jest.mock('../../../lib/errors/server-error', () => {
	const actual = jest.requireActual<typeof serverErrors>('../../../lib/errors/server-error');
	const { copyWith } = actual.ServerError.prototype;
	actual.ServerError.prototype.copyWith = function copy(changes): ServerError {
		const error = copyWith.call(this, changes);
		// A user sees the last one.
		recorded.delete(this);
		record(error);
		return error;
	};
	const ServerErrorClass = new Proxy(actual.ServerError, {
		construct(target, args: ConstructorParameters<typeof actual.ServerError>) {
			const error = new target(...args);
			record(error);
			return error;
		},
	});
	return Object.create(actual, {
		ServerError: { value: ServerErrorClass, enumerable: true },
	}) as object;
});

afterAll(() => {
	const lines = [...recorded.values()].map((advice) => `${JSON.stringify(advice)}\n`);
	fs.appendFileSync(`${process.env.RECORD_ADVICE}.${process.pid}`, lines.join(''));
	recorded.clear();
});
