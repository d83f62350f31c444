import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import { binaryFile } from '../../support/n8n/binary-file';
import { LocalLlama } from '../../../nodes/LocalLlama/LocalLlama.node';
import { startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim, SimOptions } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteFake, ExecuteSetup } from '../../support/n8n/execute-context';

/** API key of the simulated server. */
export const SESAME = 'open-sesame-123456';

export type Setup = Partial<ExecuteSetup>;
type Json = Record<string, unknown>;

/** An item with a file. */
export const file = (bytes: Buffer, fileName: string, mimeType: string): INodeExecutionData[] => [
	{ json: {}, binary: { data: binaryFile(bytes, fileName, mimeType) } },
];

/** Called at the top of a suite: a server for each test, and functions to run the node against it. */
export function useLocalLlama(): {
	/** Starts the server of this test. */
	serve: (options?: SimOptions) => Promise<LlamaServerSim>;
	prepare: (setup?: Setup) => ExecuteFake;
	executeIn: (fake: ExecuteFake) => Promise<INodeExecutionData[]>;
	execute: (setup?: Setup) => Promise<INodeExecutionData[]>;
	/** JSON of the only output item. */
	json: (parameters: Json, setup?: Setup) => Promise<Json>;
	/** Error of the node. */
	getError: (parameters: Json, setup?: Setup) => Promise<NodeOperationError>;
	/** Bodies sent to a route, in order. */
	getBodies: (path: string) => Json[];
	/** Content of the last message that was sent to a chat. */
	getContent: () => unknown;
	/** What a run shows at the node. */
	getHints: (parameters: Json, items: INodeExecutionData[]) => Promise<string[]>;
} {
	const start = useSimulator(startLlamaServerSim);
	let sim: LlamaServerSim;

	/** Execution context of the node. */
	const prepare = ({ parameters, ...setup }: Setup = {}): ExecuteFake =>
		executeContext({
			type: 'n8n-nodes-local-llama.localLlama',
			credentials: { baseUrl: sim.url, apiKey: SESAME },
			parameters: { model: { __rl: true, mode: 'id', value: 'sim-model' }, ...parameters },
			...setup,
		});
	const executeIn = async (fake: ExecuteFake): Promise<INodeExecutionData[]> => {
		const [items] = await new LocalLlama().execute.call(fake.context);
		return items!;
	};
	const execute = async (setup: Setup = {}): Promise<INodeExecutionData[]> =>
		await executeIn(prepare(setup));
	const getBodies = (path: string): Json[] =>
		sim.requests.filter((request) => request.path.endsWith(path)).map(({ body }) => body as Json);

	return {
		/** Starts the server of this test. */
		serve: async (options: SimOptions = {}): Promise<LlamaServerSim> => {
			sim = await start({ apiKey: SESAME, ...options });
			return sim;
		},
		prepare,
		executeIn,
		execute,
		/** JSON of the only output item. */
		json: async (parameters: Json, setup: Setup = {}): Promise<Json> => {
			const [item] = await execute({ parameters, ...setup });
			return item!.json;
		},
		/** Error of the node. */
		getError: async (parameters: Json, setup: Setup = {}): Promise<NodeOperationError> => {
			const result = await execute({ parameters, ...setup }).catch((error: unknown) => error);
			if (Array.isArray(result)) throw new Error(`no error: ${JSON.stringify(result)}`);
			return result as NodeOperationError;
		},
		/** Bodies sent to a route, in order. */
		getBodies,
		/** Content of the last message that was sent to a chat. */
		getContent: (): unknown =>
			(getBodies('/chat/completions') as Array<{ messages: Array<{ content: unknown }> }>)
				.at(-1)!
				.messages.at(-1)!.content,
		/** What a run shows at the node. */
		getHints: async (parameters: Json, items: INodeExecutionData[]): Promise<string[]> => {
			const fake = prepare({ parameters, items });
			await executeIn(fake);
			return fake.hints.map(({ message }) => message);
		},
	};
}
