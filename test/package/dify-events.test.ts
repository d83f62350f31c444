import { EVENTS } from '../../lib/dify/events';
import { fs, path } from '../support/node';

/** The rows of the catalogue of events in the protocol notes: what stands in their first cell. */
const catalogue = fs
	.readFileSync('docs/protocols/dify.md', 'utf8')
	.split(/^### /m)
	.find((part) => part.startsWith('3.3 '))!;
const rows = [...catalogue.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
	[...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
);
const ROWS = new Set(rows.filter((name) => name !== 'event' && name !== 'answer'));

function filesIn(folder: string, ending: RegExp): string[] {
	const entries = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
	return entries.filter((name) => ending.test(name)).map((name) => path.join(folder, name));
}

const textOf = (files: string[]) => files.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
const recorded = textOf(
	['1.12.1', '1.14.2', '1.16.0'].flatMap((version) => filesIn(`test/fixtures/dify-${version}`, /\.http$/)),
);
const cases = textOf(filesIn('test/lib/dify', /\.test\.ts$/));

it.each(EVENTS)('the event %s has its row in the protocol notes', (event) => {
	expect([...ROWS]).toContain(event);
});

it.each(EVENTS)('the event %s was recorded, or has a case where no real server sent it yet', (event) => {
	expect(recorded.includes(`"event": "${event}"`) || cases.includes(`'${event}'`)).toBe(true);
});

it('the protocol notes name no event that is not read', () => {
	expect([...ROWS].filter((name) => name !== 'ping' && !EVENTS.includes(name))).toEqual([]);
});
