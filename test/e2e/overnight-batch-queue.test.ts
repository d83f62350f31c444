/** The example `overnight-batch` in n8n's queue mode: its worker is killed again and again, each row is written once. */
import type { LlamaServerSim } from '../servers/llama-server';
import { delay, process } from '../support/node';
import { example } from './support/examples';
import { hurried, NightServer } from './support/night';
import { openNightTable } from './support/night-table';
import { llamaCredential, startN8nWithWorker, stopEverything } from './support/playground';
import { until } from './support/until';

const ROWS = 100;
const KILLS = 5;
const LONG = 1_800_000;

/** So that the executions of a killed worker are taken soon. */
const SETTINGS = {
	QUEUE_WORKER_LOCK_DURATION: '10000',
	QUEUE_WORKER_LOCK_RENEW_TIME: '2000',
	QUEUE_WORKER_STALLED_INTERVAL: '5000',
};

const server = new NightServer();
afterAll(async () => {
	await stopEverything();
	await server.stop();
}, LONG);

it(
	`writes each of ${ROWS} rows once in spite of ${KILLS} kills of the worker`,
	async () => {
		const n8n = await startN8nWithWorker(SETTINGS);
		const url = (await server.start()) as LlamaServerSim;
		const local = await n8n.createCredential({ ...llamaCredential(url), id: undefined });
		const change = hurried();
		const workflow = await n8n.createWorkflow(example('overnight-batch', { local, change }));
		await n8n.waitForExecution(await n8n.runWorkflow(workflow, 'Make the table'));
		const table = openNightTable(n8n.userFolder);
		table.add(Array.from({ length: ROWS }, (_, index) => `Prompt ${index}`));
		await n8n.activate(workflow.id);
		let { worker } = n8n;
		for (let kill = 1; kill <= KILLS; kill++) {
			await until(
				async () => table.done(),
				(done) => done >= (ROWS * kill) / (KILLS + 1),
				LONG,
			);
			await delay(Math.random() * 1000);
			worker.service.kill('SIGKILL');
			await worker.service.exited;
			process.stdout.write(`  kill ${kill}: ${table.done()} rows were done\n`);
			worker = await n8n.startWorker();
		}
		const rows = await until(
			async () => table.rows(),
			(all) => all.every(({ state }) => state !== null),
			LONG,
		);
		await n8n.request('POST', `/rest/workflows/${workflow.id}/deactivate`, {});
		expect(rows.filter(({ state, answer }) => state !== 'done' || !answer)).toEqual([]);
		expect(table.timesWritten().filter((times) => times !== 1)).toEqual([]);
		expect(table.timesWritten().length).toBeGreaterThanOrEqual(ROWS);
		process.stdout.write(
			`  ${rows.length} rows, ${server.generations - rows.length} generations lost\n`,
		);
		table.close();
	},
	LONG,
);
