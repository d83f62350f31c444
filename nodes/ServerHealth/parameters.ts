import type { IExecuteFunctions } from 'n8n-workflow';

import type { Expectations } from '../../lib/health/observations';
import type { CheckOptions } from '../../lib/health/probes';
import { failure } from '../../lib/transport/failure';
import { isRecord } from '../../lib/transport/json';

/** Reads the node's parameters of one item, which may come out of expressions with any type. */
export class Parameters {
	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
	) {}

	/** A field inside a collection; undefined where it was not added. */
	private option(collection: string, name: string): unknown {
		const values: unknown = this.context.getNodeParameter(collection, this.itemIndex, {});
		return isRecord(values) && values[name] !== '' && values[name] !== null ? values[name] : undefined;
	}

	get signal(): AbortSignal | undefined {
		return this.context.getExecutionCancelSignal();
	}

	get model(): string {
		return String(this.context.getNodeParameter('model', this.itemIndex, '', { extractValue: true }) ?? '');
	}

	flag(collection: string, name: string, fallback: boolean): boolean {
		const value = this.option(collection, name);
		return value === undefined ? fallback : value === true || value === 'true';
	}

	/** @throws {ServerError} of kind `invalidInput` naming the field */
	number(name: string, fallback: number, least: number): number {
		return numberOf(name, this.context.getNodeParameter(name, this.itemIndex, fallback), fallback, least);
	}

	optionalNumber(collection: string, name: string, least: number): number | undefined {
		const value = this.option(collection, name);
		return value === undefined ? undefined : numberOf(name, value, 0, least);
	}

	/** Seconds in the node, milliseconds in the library. */
	milliseconds(collection: string, name: string, fallbackSeconds: number): number {
		return Math.round((this.optionalNumber(collection, name, 0.1) ?? fallbackSeconds) * 1000);
	}

	check(): CheckOptions {
		const timeLimit = this.optionalNumber('options', 'timeLimit', 0.1);
		return {
			expectations: this.expectations(),
			readSlots: this.flag('options', 'readSlots', false),
			...(timeLimit === undefined ? {} : { timeLimitMs: timeLimit * 1000 }),
			signal: this.signal,
		};
	}

	private expectations(): Expectations {
		const model = this.option('needed', 'model');
		return {
			...(typeof model === 'string' && model.trim() !== '' ? { model: model.trim() } : {}),
			vision: this.flag('needed', 'vision', false),
			tools: this.flag('needed', 'tools', false),
			embeddings: this.flag('needed', 'embeddings', false),
			rerank: this.flag('needed', 'rerank', false),
			minContext: this.optionalNumber('needed', 'minContext', 0),
			minSlots: this.optionalNumber('needed', 'minSlots', 0),
		};
	}
}

function numberOf(name: string, value: unknown, fallback: number, least: number): number {
	const number = value === undefined || value === '' ? fallback : Number(value);
	if (Number.isFinite(number) && number >= least) return number;
	throw failure('invalidInput', {}, { message: `The field "${name}" must be a number from ${least}, but is ${JSON.stringify(value)}`, remedy: 'Correct the field in the node.' });
}
