import { isRecord, type JsonRecord } from '../../../values';
import { chunkOf } from '../../wire/openai-chunk';
import { type Chunk, eachChunk } from '../chunk';
import { jsonOf } from './origin';

type Choice = JsonRecord;

/** One choice is requested. Some servers send others, too, leave out the list, or count from 1. */
export const requestedChoice = () =>
	eachChunk((chunk) => {
		const json = jsonOf(chunk);
		if (json === undefined || isUsual(json.choices)) return chunk;
		const choices = [json.choices].flat().filter(isRecord);
		const choice = requestedOf(choices);
		if (choice !== undefined) return ofChoice(chunk, json, choice);
		return choices.length === 0 ? chunk : {};
	});

function isUsual(choices: unknown): boolean {
	if (!Array.isArray(choices) || choices.length > 1) return false;
	const [choice] = choices as unknown[];
	return choice === undefined || (isRecord(choice) && indexOf(choice) === 0);
}

/** A single choice counts, whatever its index. */
function requestedOf(choices: Choice[]): Choice | undefined {
	const first = choices.find((choice) => indexOf(choice) === 0);
	return first ?? (choices.length === 1 ? choices[0] : undefined);
}

function indexOf({ index }: Choice): number {
	return Number(index ?? 0);
}

function ofChoice({ origin }: Chunk, json: JsonRecord, choice: Choice): Chunk {
	const chunk = chunkOf({ ...origin!, json: { ...json, choices: [choice] } });
	const index = indexOf(choice);
	return Number.isInteger(index) && index !== 0 ? { ...chunk, choice: index } : chunk;
}
