import { childProcess, fs, path, process } from '../support/node';
import { EXAMPLES, example } from './support/examples';
import {
	llamaCredential,
	newUserFolder,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	workFolder,
} from './support/playground';

afterAll(stopEverything);

/** Runs npm like a user, and logs the duration. */
function npm(args: string[], cwd: string, home: string): { seconds: number; output: string } {
	const startedAt = performance.now();
	const { status, stdout, stderr } = childProcess.spawnSync('npm', args, {
		cwd,
		encoding: 'utf8',
		env: { ...process.env, HOME: home },
	});
	if (status !== 0)
		throw new Error(`npm ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
	return { seconds: (performance.now() - startedAt) / 1000, output: stdout };
}

describe('npm install of the tarball into ~/.n8n/custom', () => {
	it('takes seconds, brings nothing with it, and n8n lists the nodes, knows those of the examples, and runs one', async () => {
		const scratch = workFolder('install');
		const userFolder = await newUserFolder();
		const custom = path.join(userFolder, '.n8n', 'custom');
		fs.mkdirSync(custom, { recursive: true });

		// Without scripts: packing would rebuild the folder that other tests read.
		npm(['pack', '--ignore-scripts', '--pack-destination', scratch], process.cwd(), scratch);
		const tarball = fs.readdirSync(scratch).find((file) => file.endsWith('.tgz'))!;
		expect(fs.statSync(path.join(scratch, tarball)).size).toBeLessThan(600_000);

		const { seconds } = npm(
			['install', '--no-audit', '--no-fund', path.join(scratch, tarball)],
			custom,
			scratch,
		);
		expect(seconds).toBeLessThan(60);
		expect(
			fs.readdirSync(path.join(custom, 'node_modules')).filter((name) => !name.startsWith('.')),
		).toEqual(['n8n-nodes-local-llama']);

		const n8n = await startN8n({ userFolder, customExtensions: [] });
		const names = (await n8n.nodeTypes()).map(({ name }) => name);
		const { n8n: listed } = JSON.parse(
			fs.readFileSync(path.join(process.cwd(), 'package.json'), 'utf8'),
		) as {
			n8n: { nodes: string[] };
		};
		const expected = listed.nodes.map((file) => {
			const name = path.basename(file, '.node.js');
			return `CUSTOM.${name[0]!.toLowerCase()}${name.slice(1)}`;
		});
		expect(names).toEqual(expect.arrayContaining(expected));
		expect(parts().n8n.version).toMatch(/^2\./);
		expect(
			EXAMPLES.flatMap((one) => example(one).nodes.map(({ type }) => type)).filter(
				(type) => !names.includes(type),
			),
		).toEqual([]);

		const server = await startLlamaServer({
			model: await scriptedModel([{ reply: 'Hello from the custom folder.' }]),
		});
		const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
		const workflow = await n8n.createWorkflow(
			example('chat-with-local-model', { local: credential, model: server.model }),
		);
		await n8n.activate(workflow.id);
		const said: string[] = [];
		for await (const { content } of n8n.chat(
			workflow.nodes.find(({ type }) => type.endsWith('.chatTrigger'))!.webhookId!,
			'Hello',
		))
			said.push(content ?? '');
		expect(said.join('')).toBe('Hello from the custom folder.');
		await n8n.stop();
	});
});
