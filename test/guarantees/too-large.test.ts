/** A request that is too large for a server: the advice is about its files if it has some, otherwise about its text. */
import { startGoodServer } from '../faults/good-server';
import type { GoodServer, Received } from '../faults/good-server';
import { createCredential, expectNoProblems, passUntilEnded } from '../faults/harness';
import { listOperations } from '../faults/operations';
import { useClock } from './support/fake-clock';

const clock = useClock();
let server: GoodServer;
beforeEach(async () => {
	server = await startGoodServer(({ method }) =>
		method === 'POST' ? { status: 413, headers: {}, body: '' } : undefined,
	);
});
afterEach(async () => await server.close());

/** A form with a file, or an image inside of a message. */
const hasFile = ({ text, headers }: Received): boolean =>
	headers['content-type']?.startsWith('multipart/') === true || text.includes(';base64,');

test('each operation: files or text', async () => {
	const operations = await listOperations();
	const advices = new Map<string, string>();
	const works = new Map(
		operations.map((operation) => {
			const credential = createCredential(operation, {
				url: server.at(operation.name),
				key: 'key-7f3a91c4d2',
			});
			const work = operation.run({ credentials: [credential] }).catch((error: unknown) => {
				const { message, description } = error as Error & { description?: string };
				advices.set(operation.name, `${message} ${description ?? ''}`);
			});
			return [operation.name, work] as const;
		}),
	);
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const counts = { files: 0, text: 0 };
	const problems = [...advices].flatMap(([name, advice]) => {
		const [last] = server.to(name).filter(({ method }) => method === 'POST');
		if (last === undefined || !/\bfiles\.|less text/.test(advice)) return [];
		const expected = hasFile(last) ? 'Send smaller or fewer files.' : 'Send less text';
		counts[hasFile(last) ? 'files' : 'text']++;
		return advice.includes(expected) ? [] : [`${name}: ${advice}`];
	});
	expectNoProblems(problems);
	expect(counts.files).toBeGreaterThan(0);
	expect(counts.text).toBeGreaterThan(5);
});
