import type {
	IDataObject,
	ISupplyDataFunctions,
	NodeConnectionType,
	NodeOperationError,
	SupplyData,
} from 'n8n-workflow';

import { toNodeError } from '../../lib/errors/node-error';
import { hintOnce } from './run/hints';
import { hiddenFromVisitors } from './visitors';
import { quietly } from '../../lib/values';

/** One call of what a sub-node supplies. */
interface LoggedCall<T> {
	/** What n8n's log shows as input. */
	input: IDataObject;
	run(signal: AbortSignal | undefined): Promise<T>;
	/** What it shows as output, beside the time. */
	output(result: T): IDataObject;
}

/** What a sub-node supplies. @throws {NodeOperationError} of the sub-node, which then is the one that turns red */
export async function supplied(
	context: ISupplyDataFunctions,
	connection: NodeConnectionType,
	itemIndex: number,
	build: (log: SubNodeLog) => Promise<SupplyData>,
): Promise<SupplyData> {
	const log = new SubNodeLog(context, connection, itemIndex);
	return await build(log).catch((error: unknown) => {
		throw log.nodeError(error);
	});
}

/**
 * The log of an object that a sub-node supplies. n8n's own wrapper logs every number of every vector, and nothing of an
 * object that is of no class of LangChain, so such objects log for themselves.
 */
export class SubNodeLog {
	constructor(
		private readonly context: ISupplyDataFunctions,
		private readonly connection: NodeConnectionType,
		private readonly itemIndex: number,
	) {}

	/** @throws {NodeOperationError} of the sub-node, which then is the one that turns red */
	async call<T>({ input, run, output }: LoggedCall<T>): Promise<T> {
		const index = quietly(() => this.context.addInputData(this.connection, [[{ json: input }]]).index);
		const startedAt = performance.now();
		const outcome = await run(this.signal).then(
			(result) => ({ result }),
			(error: unknown) => ({ failed: this.nodeError(error) }),
		);
		const milliseconds = Math.round(performance.now() - startedAt);
		const shown = 'failed' in outcome ? outcome.failed : [[{ json: { ...output(outcome.result), milliseconds } }]];
		if (index !== undefined) quietly(() => this.context.addOutputData(this.connection, index, shown));
		if ('failed' in outcome) throw outcome.failed;
		return outcome.result;
	}

	/** Shown once at the node, however often it is said. */
	hint(message: string): void {
		quietly(() => hintOnce(this.context, message));
	}

	nodeError(error: unknown): NodeOperationError {
		const nodeError = toNodeError(this.context.getNode(), error, { itemIndex: this.itemIndex, subNode: true });
		return hiddenFromVisitors(this.context, nodeError);
	}

	/**
	 * What ends the call when the execution is stopped. The Simple Vector Store keeps an object beyond its execution: a
	 * signal that had ended that one has no say in others.
	 */
	private get signal(): AbortSignal | undefined {
		const signal = this.context.getExecutionCancelSignal();
		return signal?.aborted === true ? undefined : signal;
	}
}
