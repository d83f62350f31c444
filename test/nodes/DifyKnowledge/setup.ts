import type { ILoadOptionsFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';

import { DifyKnowledge } from '../../../nodes/DifyKnowledge/DifyKnowledge.node';
import { addDataset, knowledgeKey } from '../../simulators/dify';
import type { DifySim, SimDataset } from '../../simulators/dify';
import { editorContext } from '../../support/n8n/editor-context';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteFake, ExecuteSetup } from '../../support/n8n/execute-context';
import { startSim } from '../../lib/dify/client';

export interface Scene {
	sim: DifySim;
	dataset: SimDataset;
}

export async function startScene(dataset: Partial<SimDataset> = {}): Promise<Scene> {
	const sim = await startSim({});
	return { sim, dataset: addDataset(sim.store, { name: 'Papers', ...dataset }) };
}

type Setup = Partial<ExecuteSetup>;

/** Context of a Dify Knowledge node with a simulator and the editor's defaults. */
export function prepare(
	{ sim, dataset }: Scene,
	parameters: Record<string, unknown>,
	setup: Setup = {},
): ExecuteFake {
	return executeContext({
		type: 'n8n-nodes-local-llama.difyKnowledge',
		credentials: { baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' },
		...setup,
		parameters: {
			difyDatasetId: { __rl: true, mode: 'id', value: dataset.id },
			topK: 5,
			simplify: true,
			returnAll: true,
			contentType: 'text',
			dryRun: false,
			source: '',
			options: {},
			...parameters,
		},
	});
}

export async function executePrepared({ context }: ExecuteFake): Promise<INodeExecutionData[]> {
	const node: INodeType = new DifyKnowledge();
	const [items] = (await node.execute!.call(context)) as INodeExecutionData[][];
	return items!;
}

/** Runs an operation and returns the JSON of its items. */
export async function executeOperation(
	scene: Scene,
	resource: string,
	operation: string,
	parameters: Record<string, unknown> = {},
	setup: Setup = {},
): Promise<Array<Record<string, unknown>>> {
	const items = await executePrepared(
		prepare(scene, { resource, operation, ...parameters }, setup),
	);
	return items.map(({ json }) => json);
}

const runsOf =
	(resource: string) =>
	async (
		scene: Scene,
		...rest: [operation: string, parameters?: Record<string, unknown>, setup?: Setup]
	): Promise<Record<string, unknown>[]> =>
		await executeOperation(scene, resource, ...rest);
export const runDocument: (
	scene: Scene,
	operation: string,
	parameters?: Record<string, unknown> | undefined,
	setup?: Partial<ExecuteSetup> | undefined,
) => Promise<Record<string, unknown>[]> = runsOf('document');
export const runBase: (
	scene: Scene,
	operation: string,
	parameters?: Record<string, unknown> | undefined,
	setup?: Partial<ExecuteSetup> | undefined,
) => Promise<Record<string, unknown>[]> = runsOf('knowledgeBase');

/** A context of the editor's lists. */
export const createEditorContext = (
	{ sim }: Pick<Scene, 'sim'>,
	parameters: Record<string, unknown> = {},
): ILoadOptionsFunctions =>
	editorContext({ baseUrl: sim.url, apiKey: knowledgeKey(), keyType: 'knowledge' }, parameters);

export const byId = (
	value: string,
): {
	__rl: boolean;
	mode: string;
	value: string;
} => ({ __rl: true, mode: 'id', value });
