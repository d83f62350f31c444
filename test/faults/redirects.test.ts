/** Each request of each operation is redirected to another server: no key and no content of a user arrives there. */
import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import { canary, Search } from '../support/texts/canaries';
import { startGoodServer } from './good-server';
import type { GoodServer, Received } from './good-server';
import { createCredential, expectNoProblems, passUntilEnded, runAlone } from './harness';
import { listOperations } from './operations';
import type { Operation } from './operations';

const clock = useClock();
const secrets = { key: canary(24), tenant: canary(24) };
const search = new Search(secrets);

let operations: Operation[];
let alone: Map<string, Received[]> | undefined;
beforeEach(async () => {
	if (alone !== undefined) return;
	operations = await listOperations();
	const server = await startGoodServer();
	alone = await runAlone(operations, { clock, server, key: secrets.key });
	await server.close();
});

interface Redirect {
	name: string;
	/** Requests get them in turn. */
	statuses: readonly number[];
	/** The location repeats the received key, as some login pages do: then nothing may follow it. */
	isEcho: boolean;
}

const REDIRECTS: readonly Redirect[] = [
	{ name: 'a redirect', statuses: [301, 302, 303, 307, 308], isEcho: false },
	{ name: 'a redirect to a URL with the key', statuses: [302], isEcho: true },
];

const toLocation = (url: string, { line, headers }: Received, { isEcho }: Redirect): string => {
	const location = url + line.replace(/^\S+ /, '');
	const { authorization } = headers;
	if (!isEcho || authorization === undefined) return location;
	const key = encodeURIComponent(authorization.replace(/^Bearer /, ''));
	return `${location}${location.includes('?') ? '&' : '?'}key=${key}`;
};

const getIndex = (name: string): number => Number(/\d+$/.exec(name)?.[0]);

/** What must not have arrived at the other server. */
function findProblems({ line, method, headers, text }: Received): string[] {
	const leaks = search.in([line, JSON.stringify(headers), text].join(' '));
	return [
		...leaks.map((leak) => `the other server got the ${leak}`),
		...(method === 'GET' ? [] : [`the other server got ${line}`]),
		...(text === '' ? [] : [`the other server got the content ${text.slice(0, 80)}`]),
	];
}
test.each(REDIRECTS)('no operation follows $name', async (redirect) => {
	const other = await startGoodServer();
	const statuses = new Map<string, number>();
	const server: GoodServer = await startGoodServer((request, index) => {
		if (index !== getIndex(request.name)) return undefined;
		const status = redirect.statuses[statuses.size % redirect.statuses.length]!;
		statuses.set(request.name, status);
		const location = toLocation(other.at(request.name), request, redirect);
		return { status, headers: { location }, body: '' };
	});
	const works = new Map<string, Promise<unknown>>();
	for (const operation of takeSome(operations, REDIRECTS.indexOf(redirect)))
		for (const index of alone!.get(operation.name)!.keys()) {
			const name = `${operation.name} ${index}`;
			const access = { url: server.at(name), ...secrets };
			const work = operation.run({ credentials: [createCredential(operation, access)] });
			const end = (): void => undefined;
			works.set(name, work.then(end, end));
		}
	const pending = await passUntilEnded(works, { clock, servers: [server, other] });
	const problems = [...works.keys()].flatMap((name) => {
		const { line } = server.to(name)[getIndex(name)] ?? {};
		const status = statuses.get(name.replace(/\W+/g, '-'));
		const row = `${name.replace(/ \d+$/, '')}, ${redirect.name} (${status}) for ${line}`;
		if (line === undefined) return [`${row}: it was not sent`];
		const received = other.to(name).flatMap(findProblems);
		if (pending.includes(name)) received.push('it has not ended');
		return received.map((problem) => `${row}: ${problem}`);
	});
	const visits = other.all().length;
	await server.close();
	await other.close();
	expectNoProblems(problems);
	// Requests without content may follow, without the key: otherwise nothing was tested.
	if (!redirect.isEcho) expect(visits).toBeGreaterThan(0);
});
