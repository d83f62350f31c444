/** The entries of a sub-node in n8n's execution log. */
import type {
	IDataObject,
	ISupplyDataFunctions,
	NodeConnectionType,
	NodeOperationError,
} from 'n8n-workflow';
import { tryOrUndefined } from '../values/try-or-undefined';
import { addHintOnce } from './hints';

/** Where a supplied object belongs. */
export interface SubNodePlace {
	context: ISupplyDataFunctions & { isStreaming?(): boolean };
	/** What the node supplies. */
	connection: NodeConnectionType;
	itemIndex: number;
}

/** One call of a supplied object. */
interface SubNodeCall<T> {
	/** Input in n8n's log. */
	input: IDataObject;
	run(signal: AbortSignal | undefined): Promise<T>;
	/** Output in n8n's log, in addition to the time. */
	output(result: T): IDataObject;
}

/**
 * The log of a supplied object. n8n's own wrapper logs every number of every vector, and ignores objects without a
 * LangChain class, so these log themselves.
 */
export class SubNodeLog {
	/** @param toError the error as n8n shows it, naming the sub-node */
	constructor(
		private readonly place: SubNodePlace,
		private readonly toError: (error: unknown) => NodeOperationError,
	) {}

	/** @throws {NodeOperationError} naming the sub-node, so that n8n marks that node */
	async call<T>({ input, run, output }: SubNodeCall<T>): Promise<T> {
		const end = this.begin(input);
		const startedAt = performance.now();
		try {
			const result = await run(this.signal);
			const milliseconds = Math.round(performance.now() - startedAt);
			end({ ...output(result), milliseconds });
			return result;
		} catch (error) {
			const nodeError = this.toError(error);
			end(nodeError);
			throw nodeError;
		}
	}

	/** Adds an entry without an input. */
	add(output: IDataObject | NodeOperationError): void {
		this.begin({})(output);
	}

	/** Shows a hint at the node, only once. */
	hint(message: string): void {
		tryOrUndefined(() => addHintOnce(this.place.context, message));
	}

	/**
	 * Aborts the call when the execution is stopped. The Simple Vector Store keeps an object beyond its execution: an
	 * old, aborted signal must not end later calls.
	 */
	get signal(): AbortSignal | undefined {
		const signal = this.place.context.getExecutionCancelSignal();
		return signal?.aborted === true ? undefined : signal;
	}

	/**
	 * Begins an entry, which n8n shows as running.
	 *
	 * @param input in n8n's log
	 * @returns a function that ends it with its output, or with an error as n8n shows it
	 */
	begin(input: IDataObject): (output: IDataObject | NodeOperationError) => void {
		const { context, connection } = this.place;
		// n8n may take no more entries.
		const index = tryOrUndefined(() => context.addInputData(connection, [[{ json: input }]]).index);
		return (output) => {
			if (index === undefined) return;
			const entry = output instanceof Error ? output : [[{ json: output }]];
			tryOrUndefined(() => context.addOutputData(connection, index, entry));
		};
	}
}
