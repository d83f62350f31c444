/** What a vector store must never see: it would keep a bad vector for ever. Pure. */
import type { Fault } from './read';

/** @param length how many numbers all vectors of this model have, once one was seen */
export function faultIn(vectors: readonly number[][], length: number | undefined): Fault | undefined {
	const wanted = length ?? vectors[0]?.length;
	for (const [index, vector] of vectors.entries()) {
		if (vector.length !== wanted)
			return {
				index,
				fault: `a vector has ${vector.length} numbers where the others have ${wanted}`,
				remedy: 'Another model seems to answer than before. Choose the model by its name, and insert everything anew.',
			};
		if (!vector.every(Number.isFinite))
			return {
				index,
				fault: 'a vector holds values that are no numbers',
				remedy:
					'The model failed on this text (NaN). Use another quantization (F16 in place of Q4), turn flash attention off, or run the model on the CPU (llama-server: -ngl 0; Ollama: num_gpu 0).',
			};
		if (vector.every((value) => value === 0))
			return {
				index,
				fault: 'a vector consists of zeros',
				remedy:
					'The server probably runs a reranker, or a proxy decoded the answer wrongly. Choose an embedding model (llama-server --embeddings).',
			};
	}
	return undefined;
}
