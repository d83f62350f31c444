import { type Chunk, eachChunk, type Transform } from '../chunk';

/** Notes what arrived, before later transforms hold it back. */
export function arrivals(): Transform {
	let hasReason = false;
	return eachChunk((chunk) => {
		const { text = '', reasoning = '', finishReason } = chunk;
		const words = text + reasoning;
		const noted = { ...chunk };
		if (words !== '') noted.arrived = words.trim() === '' ? 'space' : 'words';
		if (hasReason && (words !== '' || bringsCalls(chunk))) noted.isAfterReason = true;
		hasReason ||= finishReason !== undefined;
		return noted;
	});
}

function bringsCalls({ toolCalls, repeatsCalls }: Chunk): boolean {
	return repeatsCalls !== true && Boolean(toolCalls?.length);
}
