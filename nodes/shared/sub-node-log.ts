import type {
	IDataObject,
	INodeExecutionData,
	INodeProperties,
	ISupplyDataFunctions,
	NodeConnectionType,
	NodeOperationError,
	SupplyData,
} from 'n8n-workflow';
import { SubNodeError, toNodeError } from '../../lib/errors/node-error';
import { createModelServer } from '../../lib/servers/endpoint';
import { NodeParameters } from './parameters';
import { readPriority } from './timeout-fields';
import { addHintOnce, watchLoading } from './run/hints';
import { toPanelError } from './run/item-error';
import { tryOrUndefined } from '../../lib/values/attempt';
import type { Priority } from '../../lib/http/queue';
import type { ModelServer } from '../../lib/servers/types/server-type';

/** One call of a supplied object. */
interface SubNodeCall<T> {
	/** Input in n8n's log. */
	input: IDataObject;
	run(signal: AbortSignal | undefined): Promise<T>;
	/** Output in n8n's log, in addition to the time. */
	output(result: T): IDataObject;
}

/**
 * Supplies an object of a sub-node. Throws a `SubNodeError` with the whole text, which n8n passes to the root node; the
 * sub-node's log contains it, too.
 */
export async function supplySubNode(
	context: ISupplyDataFunctions,
	connection: NodeConnectionType,
	itemIndex: number,
	build: (log: SubNodeLog) => Promise<SupplyData>,
): Promise<SupplyData> {
	const log = new SubNodeLog(context, connection, itemIndex);
	return await build(log).catch((error: unknown) => {
		throw log.supplyError(error);
	});
}

/**
 * The log of a supplied object. n8n's own wrapper logs every number of every vector, and ignores objects without a
 * LangChain class, so these log themselves.
 */
export class SubNodeLog {
	constructor(
		private readonly context: ISupplyDataFunctions & { isStreaming?(): boolean },
		private readonly connection: NodeConnectionType,
		private readonly itemIndex: number,
	) {}

	/** @throws {NodeOperationError} naming the sub-node, so that n8n marks that node */
	async call<T>({ input, run, output }: SubNodeCall<T>): Promise<T> {
		const index = this.addInput(input);
		const startedAt = performance.now();
		try {
			const result = await run(this.signal);
			this.addOutput(index, [
				[{ json: { ...output(result), milliseconds: Math.round(performance.now() - startedAt) } }],
			]);
			return result;
		} catch (error) {
			const nodeError = this.nodeError(error);
			this.addOutput(index, nodeError);
			throw nodeError;
		}
	}

	/** Shows a hint at the node, only once. */
	hint(message: string): void {
		tryOrUndefined(() => addHintOnce(this.context, message));
	}

	/**
	 * Opens the model server of the node, and reads its parameters. A model that loads for long is a separate entry in
	 * the log, which n8n shows at once.
	 */
	async openModelServer(properties: INodeProperties[]): Promise<{
		parameters: NodeParameters;
		server: ModelServer;
		priority: Priority;
	}> {
		const { context, itemIndex } = this;
		const credentials = await context.getCredentials('localLlamaApi', itemIndex);
		const parameters = new NodeParameters(context, itemIndex, properties);
		const server = watchLoading(context, createModelServer(credentials, context.helpers), () =>
			this.addOutput(this.addInput({}), [
				[
					{
						json: { status: 'The model is still loading. The request is sent when it is loaded.' },
					},
				],
			]),
		);
		return { parameters, server, priority: readPriority(context, parameters) };
	}

	nodeError(error: unknown): NodeOperationError {
		const nodeError = toNodeError(this.context.getNode(), error, { itemIndex: this.itemIndex });
		return toPanelError(this.context, nodeError, error);
	}

	/** Logs that the object could not be supplied, so that the editor marks the sub-node and shows why. */
	supplyError(error: unknown): SubNodeError {
		const nodeError = this.nodeError(error);
		this.addOutput(this.addInput({}), nodeError);
		return new SubNodeError(this.context.getNode(), nodeError);
	}

	private addInput(input: IDataObject) {
		return tryOrUndefined(
			() => this.context.addInputData(this.connection, [[{ json: input }]]).index,
		);
	}

	private addOutput(
		index: number | undefined,
		output: INodeExecutionData[][] | NodeOperationError,
	) {
		if (index !== undefined)
			tryOrUndefined(() => this.context.addOutputData(this.connection, index, output));
	}

	/**
	 * Aborts the call when the execution is stopped. The Simple Vector Store keeps an object beyond its execution: an
	 * old, aborted signal must not end later calls.
	 */
	get signal(): AbortSignal | undefined {
		const signal = this.context.getExecutionCancelSignal();
		return signal?.aborted === true ? undefined : signal;
	}
}
