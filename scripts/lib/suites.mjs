/** Suites of `npm run test:full` that need no real parts; `npm test` runs the others. */
export const ON_REQUEST = [
	'test/bench/',
	'test/docs/',
	'test/faults/',
	'test/nodes/secrets/',
	'test/scripts/',
	// Compare the simulators with recordings.
	'test/servers/',
];
