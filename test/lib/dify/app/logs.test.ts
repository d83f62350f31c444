import { listRuns, type LogFilters } from '../../../../lib/dify/app/logs';
import { http, type net } from '../../../support/node';
import { listen } from '../../../support/listening';
import { clientOf, startApp, startSim } from '../client';

/** A list that grows by a row with every page that is read, and shows rows of one second in any order. */
async function startLogs(
	count: number,
): Promise<{ url: string; pages: string[]; close: () => void }> {
	const rows = Array.from({ length: count }, (_, at) => ({ id: `run${at}`, workflow_run: null }));
	const pages: string[] = [];
	const server = http.createServer((request, response) => {
		const url = new URL(request.url ?? '/', 'http://logs');
		const [page, limit] = [
			Number(url.searchParams.get('page')),
			Number(url.searchParams.get('limit')),
		];
		pages.push(url.search);
		const data = rows.slice((page - 1) * limit, page * limit);
		const body = { page, limit, total: rows.length, has_more: page * limit < rows.length, data };
		rows.unshift({ id: `new${pages.length}`, workflow_run: null });
		response.setHeader('Content-Type', 'application/json');
		response.end(JSON.stringify(body));
	});
	const sockets = new Set<net.Socket>();
	server.on('connection', (socket) => void sockets.add(socket));
	const port = await listen(server, {});
	const close = () => {
		server.close();
		for (const socket of sockets) socket.destroy();
	};
	return { url: `http://127.0.0.1:${port}/v1`, pages, close };
}

describe('runs of a workflow', () => {
	test('all of 250, none twice, while new ones come in', async () => {
		const logs = await startLogs(250);
		const ids = (await listRuns(clientOf(logs, 'workflow'), {}, 'all')).map(({ id }) => id);
		logs.close();
		expect(new Set(ids).size).toBe(ids.length);
		for (let at = 0; at < 250; at++) expect(ids).toContain(`run${at}`);
	});

	test.each([1, 20, 100, 130])('the newest %i', async (most) => {
		const logs = await startLogs(250);
		const found = await listRuns(clientOf(logs, 'workflow'), {}, most);
		logs.close();
		expect(found).toHaveLength(most);
		expect(found[0]!.id).toBe('run0');
	});

	test('a row without its run does no harm', async () => {
		const logs = await startLogs(1);
		expect(await listRuns(clientOf(logs, 'workflow'), {}, 1)).toEqual([
			{ id: 'run0', workflow_run: null },
		]);
		logs.close();
	});

	test('filters have the names that Dify knows', async () => {
		const sim = await startSim({});
		const filters: LogFilters = {
			keyword: 'a%b',
			status: 'failed',
			before: '2026-02-01T00:00:00Z',
			after: '2026-01-01T00:00:00Z',
			user: 'u1',
		};
		await listRuns(clientOf(sim, 'workflow'), filters, 5);
		expect(Object.fromEntries(sim.requests[0]!.query)).toEqual({
			keyword: 'a%b',
			status: 'failed',
			created_at__before: '2026-02-01T00:00:00Z',
			created_at__after: '2026-01-01T00:00:00Z',
			page: '1',
			limit: '5',
		});
	});

	test('with a keyword, the user is looked for here: Dify 1.16 fails with both', async () => {
		const sim = await startApp({ mode: 'workflow' });
		for (const user of ['u1', 'u2', 'u1'])
			await clientOf(sim, 'workflow').send('POST', '/workflows/run', {
				inputs: { a: 'llama' },
				user,
				response_mode: 'blocking',
			});
		sim.fail({ path: /logs.*end_user/, status: 500, body: '', times: 9 });
		expect(
			await listRuns(clientOf(sim, 'workflow'), { keyword: 'workflow', user: 'u1' }, 'all'),
		).toBeDefined();
		const rows = await listRuns(clientOf(sim, 'workflow'), { user: 'u1' }, 'all');
		expect(rows).toHaveLength(2);
		expect(sim.requests.at(-1)!.query.get('created_by_end_user_session_id')).toBe('u1');
	});
});
