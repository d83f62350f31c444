/** A server that has another model than the chosen one: every operation that uses it says so at its node. */
import { useClock } from '../guarantees/support/fake-clock';
import { getGoodResponse } from './good-responses';
import { startGoodServer } from './good-server';
import {
	createCredential,
	expectNoProblems,
	findException,
	getUnusedExceptions,
	passUntilEnded,
} from './harness';
import type { Exceptions } from './harness';
import { listOperations, MODEL } from './operations';

const OTHER_MODEL = 'another-model';

const EXCEPTIONS: Exceptions = [
	[/^Local Llama model |^Server ?Health/, 'The answer is about the models of the server.'],
	[/^Local Llama (?:image|audio) /, 'These responses name no model.'],
];

const clock = useClock();

test('a hint names the other model', async () => {
	const all = (await listOperations()).filter(({ service }) => service === 'model');
	const operations = all.filter(({ name }) => findException(EXCEPTIONS, name) === undefined);
	const server = await startGoodServer(({ name, method, line, text }) => {
		const target = line.slice(method.length + 1);
		const good = getGoodResponse({ method, target, text, baseUrl: `http://a-server/${name}` });
		return { ...good, body: String(good.body).replaceAll(MODEL, OTHER_MODEL) };
	});
	const shown = new Map<string, string>();
	const works = new Map(
		operations.map((operation) => {
			const access = { url: server.at(operation.name), key: 'key-7f3a91c4d2' };
			const work = operation.run({ credentials: [createCredential(operation, access)] }).then(
				({ hints = [] }) => hints.map(({ message }) => message).join(' | ') || 'no hint',
				(error: Error) => `the error ${error.message}`,
			);
			return [operation.name, work.then((text) => shown.set(operation.name, text))] as const;
		}),
	);
	const pending = await passUntilEnded(works, { clock, servers: [server] });
	await server.close();
	expect(pending).toEqual([]);
	expectNoProblems(
		[...shown]
			.filter(([, text]) => !text.includes(`"${OTHER_MODEL}"`))
			.map(([name, text]) => `${name}: expected a hint with "${OTHER_MODEL}", got ${text}`),
	);
	expectNoProblems(
		getUnusedExceptions(
			EXCEPTIONS,
			all.map(({ name }) => name),
		),
	);
});
