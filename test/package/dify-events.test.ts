import { EVENT_NAMES } from '../../lib/dify/run/run-state';
import * as fs from 'node:fs';
import { filesIn } from './sources';

/** First cells of the event catalogue in the protocol notes. */
const catalogue = fs
	.readFileSync('docs/protocols/dify.md', 'utf8')
	.split(/^### /m)
	.find((part) => part.startsWith('3.3 '))!;
const rows = [...catalogue.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
	[...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
);
const ROWS = new Set(rows.filter((name) => name !== 'event' && name !== 'answer'));

const textOf = (files: string[]) => files.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
/** The events in the recorded responses of each version. */
const recorded = (['1.14', '1.16'] as const).map((version) => {
	const [folder] = fs
		.readdirSync('test/fixtures')
		.filter((name) => name.startsWith(`dify-${version}.`));
	const text = textOf(filesIn([`test/fixtures/${folder!}`], /\.http$/));
	return new Set([...text.matchAll(/"event": ?"(\w+)"/g)].map(([, name]) => name!));
});
const isRecorded = (event: string) => recorded.some((events) => events.has(event));

/** Why no recording has an event; each of them has a case. */
const NOT_RECORDED: Readonly<Record<string, string>> = {
	message_file: 'no recorded app has a tool that generates files',
	reasoning_chunk: 'it is newer than the recorded versions',
	human_input_form_filled: 'no recording reads on while a form is filled in',
	human_input_form_timeout: 'no recorded form runs out',
	warning: 'it is newer than the recorded versions',
};
/** Events that change nothing. */
const UNREAD = new Set(['agent_log', 'ping', 'text_replace', 'tts_message', 'tts_message_end']);
/** Their code: a comment is no case. */
const cases = textOf(filesIn(['test/lib/dify', 'test/guarantees'], /\.test\.ts$/)).replace(
	/\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm,
	'',
);

it.each(EVENT_NAMES)('the event %s has a row in the protocol notes', (event) => {
	expect([...ROWS]).toContain(event);
});

it.each(EVENT_NAMES)('the event %s was recorded, or has a reason and a test', (event) => {
	if (isRecorded(event)) return expect(NOT_RECORDED).not.toHaveProperty(event);
	expect(NOT_RECORDED).toHaveProperty(event);
	expect(cases).toContain(`'${event}'`);
});

it('the reasons contain only supported events', () => {
	expect(Object.keys(NOT_RECORDED).filter((name) => !EVENT_NAMES.includes(name))).toEqual([]);
});

it('the protocol notes contain only supported events', () => {
	expect([...ROWS].filter((name) => !UNREAD.has(name) && !EVENT_NAMES.includes(name))).toEqual([]);
});
