/** Changes of n8n 3, tested on the newest n8n 2 with its settings (docs/operations.md). `N8N_DEFAULTS=3` runs any suite with them. */
import { N8N_3_RULES } from '../support/n8n-3-rules';
import { childProcess, fs, path, process } from '../support/node-builtins';
import {
	isOldestN8n,
	llamaCredential,
	newUserFolder,
	parts,
	scriptedModel,
	startLlamaServer,
	startN8n,
	stopEverything,
	type N8nServer,
} from '../e2e/support/playground';
import { agent, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

afterAll(stopEverything);

/** n8n 2.20 has no rules for version 3. */
const newest = !isOldestN8n();
const MODEL = 'Local Chat Model';

interface Report {
	report: { workflowResults: Array<{ ruleId: string }> };
}

if (newest) {
	test('case N6: none of n8n’s own rules for version 3 applies to an example', () => {
		const script = path.join(process.cwd(), 'test', 'full', 'support', 'v3-rules.cjs');
		const { stdout, stderr } = childProcess.spawnSync(
			process.execPath,
			[script, parts().n8n.folder, path.join(process.cwd(), 'workflows')],
			{ encoding: 'utf8' },
		);
		expect(stderr).toBe('');
		const { rules, hits } = JSON.parse(stdout) as { rules: string[]; hits: object[] };
		// The conditions of the rules are checked by the quick tests.
		expect(rules.sort()).toEqual(Object.keys(N8N_3_RULES).sort());
		expect(hits).toEqual([]);
	});
}

describe('unverified packages are off', () => {
	let n8n: N8nServer;
	beforeAll(async () => {
		const userFolder = await newUserFolder();
		const packages = path.join(userFolder, '.n8n', 'custom', 'node_modules');
		fs.mkdirSync(packages, { recursive: true });
		fs.cpSync(parts().nodes, path.join(packages, 'n8n-nodes-local-llama'), { recursive: true });
		n8n = await startN8n({
			userFolder,
			customExtensions: [],
			env: { N8N_COMMUNITY_PACKAGES_ENABLED: 'true', N8N_UNVERIFIED_PACKAGES_ENABLED: 'false' },
		});
	});

	test('case N1: a package in the custom folder is loaded, and a chat runs', async () => {
		const server = await startLlamaServer({
			model: await scriptedModel([{ last: 'user', reply: 'Hello from the custom folder.' }]),
		});
		const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
		const created = await n8n.createWorkflow(
			workflowOf('Agent', {
				Start: MANUAL,
				Agent: agent('Hello'),
				[MODEL]: localModel(credential),
			}),
		);
		const { data } = await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
		expect(data.resultData.runData.Agent!.at(-1)!.data!.main![0]![0]!.json).toEqual({
			output: 'Hello from the custom folder.',
		});
	});

	test('case N2: installing from the interface is rejected', async () => {
		const install = n8n.request('POST', '/rest/community-packages', {
			name: 'n8n-nodes-local-llama',
		});
		await expect(install).rejects.toThrow(/500|forbidden/);
	});

	if (newest) {
		test('n8n’s own report about version 3 names none of our workflows', async () => {
			const { report } = await n8n.request<Report>(
				'GET',
				'/rest/breaking-changes/report?version=v3',
			);
			expect(report.workflowResults).toEqual([]);
		});
	}
});
