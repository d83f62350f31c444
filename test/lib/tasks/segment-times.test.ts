import { getSegmentTimes, withSegments } from '../../../lib/tasks/segment-times';

it.each<{ server: string; segment: object }>([
	{ server: 'OpenAI', segment: { start: 1, end: 2.5 } },
	{ server: 'numbers as text', segment: { start: '1', end: '2.50' } },
	{ server: 'Parakeet', segment: { start_time: 1, end_time: 2.5 } },
	{ server: 'transformers', segment: { timestamp: [1, 2.5] } },
	{ server: 'transformers, as text', segment: { timestamp: ['1.0', '2.5'] } },
	{
		server: 'whisper.cpp, written to a file',
		segment: {
			timestamps: { from: '00:00:01,000', to: '00:00:02,500' },
			offsets: { from: 1000, to: 2500 },
		},
	},
	{ server: 'clocks', segment: { start: '00:01.000', end: '00:02.500' } },
])('times of $server are read', ({ segment }) => {
	expect(getSegmentTimes({ ...segment })).toEqual({ start: 1, end: 2.5 });
});

it.each<object>([
	{},
	{ start: 1 },
	{ timestamp: [1, null] },
	{ timestamp: [1, 2, 3] },
	{ start: 'now', end: 'later' },
	// Milliseconds, as far as anybody can tell
	{ offsets: { from: 1000, to: 2500 } },
])('no times are guessed: %j', (segment) => {
	expect(getSegmentTimes({ ...segment })).toBeUndefined();
});

const CHUNKS = [
	{ timestamp: [0, 4.48], text: ' So in college,' },
	{ timestamp: [4.88, 6], text: ' I was' },
];
const SEGMENTS = [
	{ start: 0, end: 4.48, text: ' So in college,' },
	{ start: 4.88, end: 6, text: ' I was' },
];

it.each<{ server: string; record: object; segments: unknown }>([
	{ server: 'transformers', record: { text: 'x', chunks: CHUNKS }, segments: SEGMENTS },
	{
		server: 'the last end is not known',
		record: { chunks: [CHUNKS[0], { timestamp: [4.88, null], text: ' I was' }] },
		segments: [SEGMENTS[0], { text: ' I was' }],
	},
	{
		server: 'utterances of other servers',
		record: { utterances: [{ start: 0, end: 4.48, text: ' So in college,' }] },
		segments: [SEGMENTS[0]],
	},
	{
		server: 'own segments stay',
		record: { segments: [{ id: 1 }], chunks: CHUNKS },
		segments: [{ id: 1 }],
	},
	{ server: 'chunks of something else', record: { chunks: ['a'] }, segments: undefined },
	{ server: 'chunks without times', record: { chunks: [{ text: 'a' }] }, segments: undefined },
])('segments of $server', ({ record, segments }) => {
	expect(withSegments({ ...record }).segments).toEqual(segments);
	// Nothing is dropped.
	expect(withSegments({ ...record })).toMatchObject(record);
});
