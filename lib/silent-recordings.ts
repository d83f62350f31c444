/** Recordings without a transcript, as a hint names them. */
import { truncate } from './values/text';

/** A recording in which the server heard nothing. */
export interface SilentRecording {
	name: string;
	/** Of its item: recordings of a phone have the same name. */
	itemIndex: number;
}

/** Names in a hint. */
const MAX_NAMES = 10;
const MAX_NAME_LENGTH = 80;

/** "No speech was detected in 2 recordings: "a.wav" (item 1), "a.wav" (item 4). …" */
export function describeSilentRecordings(recordings: readonly SilentRecording[]): string {
	const names = recordings
		.slice(0, MAX_NAMES)
		.map(({ name, itemIndex }) => `"${truncate(name, MAX_NAME_LENGTH)}" (item ${itemIndex + 1})`);
	const others = recordings.length - names.length;
	const more = others > 0 ? `, and ${others} more` : '';
	const subject =
		recordings.length === 1
			? `"${truncate(recordings[0]!.name, MAX_NAME_LENGTH)}"`
			: `${recordings.length} recordings: ${names.join(', ')}${more}`;
	return `No speech was detected in ${subject}. This is expected for silence; otherwise check the language, the model and the file.`;
}
