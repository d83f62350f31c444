/** Checks the content and size of the published package. */

export const MAX_PACKED_BYTES = 560_000;

const ALLOWED = [/^dist\//, /^package\.json$/, /^README(\.[\w-]+)?\.md$/, /^LICENSE$/];
const FORBIDDEN = [
	/\.[cm]?tsx?$/,
	/\.map$/,
	/\.(test|spec)\./,
	/(^|\/)(test|tests|__tests__|node_modules)\//,
];

/**
 * @param {import('./types').PackedPackage} packed output of `npm pack --json`
 * @param {import('./types').PackageManifest} manifest
 * @returns {string[]} all problems
 */
export const packageProblems = (packed, manifest) => {
	const paths = packed.files.map(({ path }) => path);
	const declared = [...(manifest.n8n?.nodes ?? []), ...(manifest.n8n?.credentials ?? [])];
	const dependencies = Object.keys({
		...manifest.dependencies,
		...manifest.optionalDependencies,
	});
	return [
		...(packed.size < MAX_PACKED_BYTES
			? []
			: [`it is ${packed.size} bytes large, ${MAX_PACKED_BYTES} is the limit`]),
		...paths
			.filter((path) => !ALLOWED.some((rule) => rule.test(path)))
			.map((path) => `${path} does not belong into it`),
		...paths
			.filter((path) => FORBIDDEN.some((rule) => rule.test(path)))
			.map((path) => `${path} is not for running`),
		...['LICENSE', 'README.md', ...declared]
			.filter((path) => !paths.includes(path))
			.map((path) => `${path} is missing`),
		...(declared.length > 0 ? [] : ['package.json names no nodes']),
		...dependencies.map((name) => `it depends on ${name}: bundle it instead`),
		...(manifest.bundleDependencies || manifest.bundledDependencies
			? ['it bundles dependencies']
			: []),
	];
};
