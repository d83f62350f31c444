/**
 * The example `overnight-batch`: rows of a data table that outlive a killed n8n and a killed server. By default some
 * hundred rows and a few kills; `LOCAL_LLAMA_NIGHT=2000,20` sets how many of both.
 */
import { reply, startLlamaServerSim, type LlamaServerSim } from '../servers/llama-server';
import { delay, process } from '../support/node';
import { example, NIGHT_EXAMPLES, type Wiring } from './support/examples';
import { openNightTable, type NightTable } from './support/night-table';
import {
	after,
	describeExamples,
	itemsOf,
	localCredential,
	SLOW,
	startTheN8n,
	theN8n,
} from './support/run-examples';
import { until } from './support/until';

const [ROWS = 120, KILLS = 4] = (process.env.LOCAL_LLAMA_NIGHT ?? '')
	.split(',')
	.filter(Boolean)
	.map(Number);
/** How many rows the example has under way. */
const AT_ONCE = 4;
const LONG = SLOW + KILLS * 120_000;

/** A server of four slots that is killed and started again on the same port. */
class Server {
	private sim: LlamaServerSim | undefined;
	private port: number | undefined;
	/** How many chats it was asked for, in all its lives. */
	generations = 0;
	private stopped = false;

	async start(): Promise<{ url: string }> {
		if (!this.stopped) this.sim = await startLlamaServerSim({ slots: AT_ONCE, port: this.port });
		const sim = this.sim!;
		this.port = sim.port;
		const answer = () => {
			this.generations++;
			return reply.text('Four bees live on the roof.', { tokenDelayMs: 20 });
		};
		sim.script(...Array.from({ length: 10 * ROWS }, () => answer));
		return sim;
	}

	async kill(): Promise<void> {
		const killed = this.sim!;
		this.sim = undefined;
		await killed.close();
	}

	/** For good. */
	async stop(): Promise<void> {
		this.stopped = true;
		await this.sim?.close();
	}
}

/** Often, at any hour, and with a wait after a kill that a test can bear. */
const hurried = (): Wiring['change'] => {
	const { parameters } = example('overnight-batch').nodes.find(
		({ name }) => name === 'Rows under way',
	)!;
	const sooner = JSON.parse(
		JSON.stringify(parameters).replace('minutes: 10', 'seconds: 8'),
	) as Record<string, unknown>;
	const often = { interval: [{ field: 'cronExpression', expression: '*/10 * * * * *' }] };
	return { "From 22 to 6 o'clock": { rule: often }, 'Rows under way': sooner };
};

async function theExample(change: Wiring['change'] = {}) {
	const server = new Server();
	after(async () => await server.stop());
	const local = await localCredential((await server.start()) as LlamaServerSim);
	const workflow = await theN8n().createWorkflow(example('overnight-batch', { local, change }));
	const run = async (trigger: string) =>
		await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, trigger));
	return { server, workflow, run };
}

describeExamples(NIGHT_EXAMPLES, {
	'overnight-batch': async () => {
		const { run } = await theExample();
		// The samples exist only once, even if they are created again.
		for (let times = 0; times < 2; times++) await run('Make the table');
		const first = await run('Start');
		expect(first.data.resultData.error).toBeUndefined();
		const rows = itemsOf(first, 'Write');
		expect(rows.map(({ state, tries }) => ({ state, tries }))).toEqual(
			Array.from({ length: 4 }, () => ({ state: 'done', tries: 0 })),
		);
		const second = await run('Start');
		expect(itemsOf(second, 'Next rows')).toEqual([]);
		return JSON.stringify(rows[0]);
	},
});

describe('a night with kills', () => {
	it(
		`writes each of ${ROWS} rows once in spite of ${KILLS} kills of n8n and of the server`,
		async () => {
			const { server, workflow, run } = await theExample(hurried());
			await run('Make the table');
			const { userFolder, port } = theN8n();
			const table = openNightTable(userFolder);
			table.add(Array.from({ length: ROWS }, (_, index) => `Prompt ${index}`));
			await theN8n().activate(workflow.id);
			for (let kill = 1; kill <= KILLS; kill++) {
				await somewhereIn(table, (ROWS * kill) / (KILLS + 1));
				if (kill % 2 === 0) await restartServer(server);
				else await restartN8n({ userFolder, port });
				process.stdout.write(`  kill ${kill}: ${table.done()} rows were done\n`);
			}
			const rows = await until(
				async () => table.rows(),
				(all) => all.every(({ state }) => state !== null),
				LONG,
			);
			await theN8n().request('POST', `/rest/workflows/${workflow.id}/deactivate`, {});
			expect(rows.filter(({ state, answer }) => state !== 'done' || !answer)).toEqual([]);
			expect(table.timesWritten().filter((times) => times !== 1)).toEqual([]);
			expect(table.timesWritten().length).toBeGreaterThanOrEqual(ROWS);
			const wasted = server.generations - rows.length;
			process.stdout.write(`  ${rows.length} rows, ${wasted} generations lost\n`);
			expect(wasted).toBeLessThanOrEqual(KILLS * AT_ONCE);
			table.close();
		},
		LONG,
	);
});

/** Waits until so many rows are done, and then for a random moment of a round. */
async function somewhereIn(table: NightTable, rows: number): Promise<void> {
	await until(
		async () => table.done(),
		(done) => done >= rows,
		LONG,
	);
	await delay(Math.random() * 1000);
}

async function restartServer(server: Server): Promise<void> {
	await server.kill();
	await delay(Math.random() * 3000);
	await server.start();
}

async function restartN8n(same: { userFolder: string; port: number }): Promise<void> {
	const { service } = theN8n();
	service.kill('SIGKILL');
	await service.exited;
	await startTheN8n(same);
}
