import { startWhisperSim, type WhisperOptions } from '../media/whisper';
import type { RecordedExchange } from './exchange';
import type { RecordedTopic } from './topic';

/** Options of a case's server; the first matching name counts. */
const STARTS: Array<[name: RegExp, options: WhisperOptions]> = [
	[/^convert-failed/, { convert: 'fails' }],
	[/^convert-/, { convert: true }],
	[/^path-/, { language: 'auto' }],
	[/^health-(?:busy|after-failed-load)/, { healthy: false }],
];

export const WHISPER: RecordedTopic[] = [
	{
		topic: 'whisper.cpp-233fe1f/server',
		start: async ({ name }: RecordedExchange) => {
			const [, options = {}] = STARTS.find(([pattern]) => pattern.test(name)) ?? [];
			const inferencePath = name.startsWith('path-') ? '/v1/audio/transcriptions' : '/inference';
			// Recordings keep only name and length of files.
			const reads: WhisperOptions['reads'] = ({ filename = '', size }) =>
				size > 1000 && /\.(?:wav|mp3|flac|ogg)$/.test(filename);
			return await startWhisperSim({ inferencePath, ...options, reads });
		},
		deviations: {},
	},
];
