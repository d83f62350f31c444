import type { Transform } from '../chunk';

/** Notes what arrived, before later transforms hold it back. */
export function arrivals(): Transform {
	let hasReason = false;
	return {
		push(chunk) {
			const { text = '', reasoning = '', toolCalls, repeatsCalls, finishReason } = chunk;
			const words = text + reasoning;
			if (words === '' && toolCalls === undefined && finishReason === undefined) return [chunk];
			const noted = { ...chunk };
			if (words !== '') noted.arrived = words.trim() === '' ? 'space' : 'words';
			const hasCalls = repeatsCalls !== true && Boolean(toolCalls?.length);
			if (hasReason && (words !== '' || hasCalls)) noted.isAfterReason = true;
			hasReason ||= finishReason !== undefined;
			return [noted];
		},
		end: () => [],
	};
}
