/** Checks vectors before a vector store gets them: it would keep a bad one for ever. */
import type { BatchText } from '../batches/client';
import type { FailureContext } from '../errors/failure';
import { differentModels, unusable } from './failures';
import type { Embedded, Fault } from './read';

/** Remembers the length of a model's first vector: vectors of another length would spoil a store. */
export class VectorCheck {
	private length: number | undefined;
	/** The server that sent the first vector. */
	private first = '';

	get known(): number | undefined {
		return this.length;
	}

	/**
	 * @param batch the texts, in the order of the vectors
	 * @param from the server that answered
	 * @throws {ServerError} naming the text, where one is at fault
	 */
	checked(
		answer: Embedded | Fault,
		batch: readonly BatchText[],
		{ from, context }: { from: string; context: FailureContext },
	): Embedded {
		const fault = 'fault' in answer ? answer : faultIn(answer.vectors, this.length);
		if (fault === undefined) {
			const embedded = answer as Embedded;
			if (this.length === undefined) this.first = from;
			this.length ??= embedded.vectors[0]?.length;
			return embedded;
		}
		if (this.length !== undefined && this.first !== from && fault.sizes !== undefined)
			throw differentModels(context, { ...fault.sizes, here: from, there: this.first });
		throw unusable(fault, context, fault.index === undefined ? undefined : batch[fault.index]);
	}
}

/**
 * The first fault: another length, a value that is not finite, or only zeros.
 *
 * @param length how many numbers the vectors of this model have, once one was seen
 */
export function faultIn(
	vectors: readonly number[][],
	length: number | undefined,
): Fault | undefined {
	const expected = length ?? vectors[0]?.length ?? 0;
	for (const [index, vector] of vectors.entries()) {
		if (vector.length !== expected)
			return {
				index,
				sizes: { length: vector.length, expected },
				fault: `a vector has ${vector.length} numbers where the others have ${expected}`,
				remedy:
					'Another model seems to answer than before. Choose the model by its name, and insert everything anew.',
			};
		// As vector stores keep them: in 32 bits.
		const stored = vector.map(Math.fround);
		if (!stored.every(Number.isFinite))
			return {
				index,
				fault: 'a vector holds values that are not 32-bit numbers',
				remedy:
					'The model failed on this text (NaN). Use another quantization (F16 in place of Q4), turn flash attention off, or run the model on the CPU (-ngl 0 or num_gpu 0).',
			};
		if (stored.every((value) => value === 0))
			return {
				index,
				fault: 'a vector consists of zeros',
				remedy:
					'The server probably runs a reranker, or a proxy decoded the answer wrongly. Choose an embedding model.',
			};
	}
	return undefined;
}
