/**
 * The example `overnight-batch`: rows of a data table that outlive a killed n8n and a killed server. By default some
 * hundred rows and a few kills; `LOCAL_LLAMA_NIGHT=2000,20` sets how many of both.
 */
import type { LlamaServerSim } from '../simulators/llama-server';
import { delay, process } from '../support/node-builtins';
import { example, type Wiring } from '../e2e/support/examples';
import { AT_ONCE, useShortIntervals, NightServer } from './support/overnight-server';
import { openNightTable, type NightTable } from './support/overnight-table';
import {
	after,
	describeExamples,
	itemsOf,
	localCredential,
	SLOW,
	startTheN8n,
	theN8n,
} from '../e2e/support/run-examples';
import type { N8nServer } from '../e2e/support/playground';
import { until } from '../e2e/support/until';

const [ROWS = 120, KILLS = 4] = (process.env.LOCAL_LLAMA_NIGHT ?? '')
	.split(',')
	.filter(Boolean)
	.map(Number);
const LONG = SLOW + KILLS * 120_000;

async function theExample(change: Wiring['change'] = {}) {
	const server = new NightServer();
	after(async () => await server.stop());
	const local = await localCredential((await server.start()) as LlamaServerSim);
	const workflow = await theN8n().createWorkflow(example('overnight-batch', { local, change }));
	const run = async (trigger: string) =>
		await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, trigger));
	return { server, workflow, run };
}

let n8n: N8nServer;

describeExamples(
	['overnight-batch'],
	{
		'overnight-batch': async () => {
			const { run } = await theExample();
			// The samples exist only once, even if they are created again.
			for (let times = 0; times < 2; times++) await run('Create the table');
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
	},
	async () => {
		n8n = await startTheN8n();
	},
);

describe('a night with kills', () => {
	it(
		`writes each of ${ROWS} rows once in spite of ${KILLS} kills of n8n and of the server`,
		async () => {
			const { server, workflow, run } = await theExample(useShortIntervals());
			await run('Create the table');
			const { userFolder, port } = n8n;
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

/** Waits until a number of rows is done, and then for a random moment of a round. */
async function somewhereIn(table: NightTable, rows: number): Promise<void> {
	await until(
		async () => table.done(),
		(done) => done >= rows,
		LONG,
	);
	await delay(Math.random() * 1000);
}

async function restartServer(server: NightServer): Promise<void> {
	await server.kill();
	await delay(Math.random() * 3000);
	await server.start();
}

async function restartN8n(same: { userFolder: string; port: number }): Promise<void> {
	const { service } = n8n;
	service.kill('SIGKILL');
	await service.exited;
	n8n = await startTheN8n(same);
}
