import assert from 'node:assert/strict';
import { browserOrigins, callsPerAddress, callsPerUser, enforcesAppCheck, ownProxies, rateWindowSeconds } from './params.ts';

describe('parameters of a deployment', () => {
  const environment = { ...process.env };
  afterEach(() => { process.env = { ...environment }; });

  function given(values: Record<string, string>): void {
    process.env = { ...environment, ...values };
    for (const name of ['FIRESTORE_EMULATOR_HOST', 'FUNCTIONS_EMULATOR']) if (!(name in values)) delete process.env[name];
  }

  it('name the origins whose browsers may call, as browsers write them', () => {
    given({ CORS_ORIGINS: ' https://game.example/ ,https://Second.example:8443,, https://third.example/page' });
    assert.deepEqual(browserOrigins(), ['https://game.example', 'https://second.example:8443', 'https://third.example']);
  });

  it('let no browser call when they name none, but all of them on the emulators', () => {
    given({ CORS_ORIGINS: ' ' });
    assert.equal(browserOrigins(), false);
    given({ FIRESTORE_EMULATOR_HOST: '127.0.0.1:8080' });
    assert.equal(browserOrigins(), true);
    given({ FIRESTORE_EMULATOR_HOST: '127.0.0.1:8080', CORS_ORIGINS: 'https://game.example' });
    assert.deepEqual(browserOrigins(), ['https://game.example']);
  });

  it('have no values while the functions are listed for a deployment', () => {
    given({ FUNCTIONS_CONTROL_API: 'true', CORS_ORIGINS: 'https://game.example' });
    assert.equal(browserOrigins(), false);
  });

  it('limit calls, also when a value is missing or makes no sense', () => {
    given({ RATE_LIMIT_PER_USER: '7', RATE_LIMIT_PER_ADDRESS: '8', RATE_LIMIT_WINDOW_SECONDS: '9', TRUSTED_PROXIES: '1' });
    assert.deepEqual([callsPerUser(), callsPerAddress(), rateWindowSeconds(), ownProxies()], [7, 8, 9, 1]);
    for (const value of ['', '0', '-5', 'many']) {
      given({ RATE_LIMIT_PER_USER: value, RATE_LIMIT_PER_ADDRESS: value, RATE_LIMIT_WINDOW_SECONDS: value, TRUSTED_PROXIES: value });
      assert.deepEqual([callsPerUser(), callsPerAddress(), rateWindowSeconds(), ownProxies()], [1_000, 100, 60, 0], value);
    }
  });

  it('enforce App Check unless it is off', () => {
    for (const [value, enforced] of [['', false], ['off', false], ['enforce', true], ['Off', true], ['yes', true]] as const) {
      given({ APP_CHECK: value });
      assert.equal(enforcesAppCheck(), enforced, value);
    }
  });
});
