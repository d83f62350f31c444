import { loadScript } from '../support/scripts';

interface PackageCheckScript {
	packageProblems(
		packed: {
			filename: string;
			size: number;
			unpackedSize: number;
			files: Array<{ path: string; size: number }>;
		},
		manifest: Record<string, unknown>,
	): string[];
}

interface ExamplesScript {
	askOnce(
		workflow: object,
		question: string,
	): { nodes: Array<{ name: string; type: string; parameters: unknown }>; connections: object };
	getResponseText(data: object): string;
}

describe('the check of the package', () => {
	const manifest = {
		n8n: { nodes: ['dist/nodes/A.node.js'], credentials: ['dist/credentials/B.credentials.js'] },
	};
	const packed = (paths: string[], size = 1000) => ({
		filename: 'package.tgz',
		size,
		unpackedSize: size,
		files: paths.map((path) => ({ path, size: 1 })),
	});
	const right = [
		'package.json',
		'README.md',
		'README.zh-CN.md',
		'LICENSE',
		'dist/nodes/A.node.js',
		'dist/credentials/B.credentials.js',
	];

	it('accepts a valid package', async () => {
		const { packageProblems } = await loadScript<PackageCheckScript>('package-check');
		expect(packageProblems(packed(right), manifest)).toEqual([]);
	});

	it.each([
		['a test', [...right, 'dist/test/a.js'], {}, 'dist/test/a.js is not for running'],
		['a source', [...right, 'dist/nodes/A.node.ts'], {}, 'dist/nodes/A.node.ts is not for running'],
		['a foreign file', [...right, 'gulpfile.js'], {}, 'gulpfile.js does not belong into it'],
		[
			'a missing node',
			right.filter((path) => !path.includes('A.node')),
			{},
			'dist/nodes/A.node.js is missing',
		],
		['a missing licence', right.filter((path) => path !== 'LICENSE'), {}, 'LICENSE is missing'],
		[
			'a dependency',
			right,
			{ dependencies: { undici: '7' } },
			'it depends on undici: bundle it instead',
		],
	])('finds %s', async (_, paths, extra, problem) => {
		const { packageProblems } = await loadScript<PackageCheckScript>('package-check');
		expect(packageProblems(packed(paths), { ...manifest, ...extra })).toEqual([problem]);
	});

	it('finds a package that is too large, and one without nodes', async () => {
		const { packageProblems } = await loadScript<PackageCheckScript>('package-check');
		expect(packageProblems(packed(right, 560_000), manifest)).toEqual([
			'it is 560000 bytes large, 560000 is the limit',
		]);
		expect(packageProblems(packed(right), {})).toEqual(['package.json names no nodes']);
	});
});

describe('sending one question to an example workflow', () => {
	const workflow = {
		name: 'Agent',
		nodes: [
			{
				id: '1',
				name: 'Chat',
				type: '@n8n/n8n-nodes-langchain.chatTrigger',
				typeVersion: 1,
				position: [0, 0],
				parameters: {},
			},
			{
				id: '2',
				name: 'AI Agent',
				type: '@n8n/n8n-nodes-langchain.agent',
				typeVersion: 3,
				position: [1, 0],
				parameters: {},
			},
		],
		connections: { Chat: { main: [[{ node: 'AI Agent', type: 'main', index: 0 }]] } },
	};

	it('replaces the Chat Trigger with the question, under the same name', async () => {
		const { askOnce } = await loadScript<ExamplesScript>('examples');
		const { nodes, connections } = askOnce(workflow, '=1+1');
		expect(nodes.map(({ name, type }) => [name, type])).toEqual([
			['Question', 'n8n-nodes-base.manualTrigger'],
			['Chat', 'n8n-nodes-base.set'],
			['AI Agent', '@n8n/n8n-nodes-langchain.agent'],
		]);
		expect(nodes[1]?.parameters).toMatchObject({
			jsonOutput: expect.stringContaining('"=1+1"') as string,
		});
		expect(connections).toEqual({
			...workflow.connections,
			Question: { main: [[{ node: 'Chat', type: 'main', index: 0 }]] },
		});
	});

	it('rejects a workflow without a Chat Trigger', async () => {
		const { askOnce } = await loadScript<ExamplesScript>('examples');
		expect(() => askOnce({ ...workflow, nodes: [] }, 'hello')).toThrow('has no Chat Trigger');
	});

	it('returns the output of the last node', async () => {
		const { getResponseText } = await loadScript<ExamplesScript>('examples');
		const runData = { 'AI Agent': [{ data: { main: [[{ json: { output: 'Hello!\n' } }]] } }] };
		expect(getResponseText({ resultData: { runData, lastNodeExecuted: 'AI Agent' } })).toBe(
			'Hello!',
		);
	});
});
