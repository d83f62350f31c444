/**
 * n8n-workflow for all tests (`moduleNameMapper` in `jest.config.cjs`): a suite loads only the parts whose names it uses. The
 * whole package took a quarter of a second of each file that imports a node.
 */
const { join } = require('node:path');

const FOLDER = join(__dirname, '../../../node_modules/n8n-workflow/dist/cjs');

/** Parts that import little of the others, the smallest first. A name that none of them has is one of the whole package. */
const SMALL_PARTS = [
	'interfaces',
	'constants',
	'metadata-utils',
	'utils',
	'errors/index',
	'node-helpers',
];

/** Parts that the package exports as one name. */
const NAMESPACES = { LoggerProxy: 'logger-proxy', NodeHelpers: 'node-helpers' };

/** @param {string} part */
const load = (part) => require(join(FOLDER, part));

/** @param {string} name */
const partWith = (name) => load(SMALL_PARTS.find((part) => name in load(part)) ?? 'index');

module.exports = new Proxy(
	{ __esModule: true },
	{
		get(target, name) {
			if (Object.hasOwn(NAMESPACES, name)) return load(NAMESPACES[name]);
			target[name] ??= partWith(name)[name];
			return target[name];
		},
		ownKeys: () => Reflect.ownKeys(load('index')),
		getOwnPropertyDescriptor: (_target, name) => ({
			value: load('index')[name],
			configurable: true,
			enumerable: true,
		}),
	},
);
