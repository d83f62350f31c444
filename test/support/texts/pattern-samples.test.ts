import { samplePattern } from './pattern-samples';

it.each<{ pattern: RegExp; samples: string[] }>([
	{ pattern: /end/, samples: ['end'] },
	{ pattern: /<a>|\n/, samples: ['<a>', '\n'] },
	{ pattern: /x+[^a-c]\d{2,3}y{0}/, samples: ['x', 'x1', 'x111', 'x111'] },
	{ pattern: /a(?:b|(?<name>c))?\k<name>d/, samples: ['c', 'b', 'c', 'a', 'ab', 'ab', 'abd'] },
	{ pattern: /^(?<=<)a(?!b)$/m, samples: ['', '<', '', 'a', 'b', 'a', 'a'] },
	{ pattern: /\u{1f600}\x41\u00e9\//u, samples: ['\u{1f600}Aé/'] },
	{ pattern: new RegExp('[\\p{L}--[a-z]][\\]\\\\]', 'v'), samples: ['中', '中\\'] },
	{ pattern: /a{999}/, samples: ['a'.repeat(40)] },
])('samples of $pattern', ({ pattern, samples }) => {
	expect(samplePattern(pattern.source, pattern.flags).toSorted()).toEqual(samples.toSorted());
});
