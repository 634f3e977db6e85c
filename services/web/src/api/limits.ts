// Generated from the application's OpenAPI document by `npm run generate:api`. Do not edit.

export const limits = {
  "AccountChange": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    }
  },
  "AssetChange": {
    "name": {
      "minLength": 1,
      "maxLength": 1000
    }
  },
  "InvitationForm": {
    "address": {
      "minLength": 3,
      "maxLength": 254
    }
  },
  "InvitationToken": {
    "token": {
      "maxLength": 128
    }
  },
  "InvitedAccount": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    },
    "password": {
      "maxLength": 200
    },
    "token": {
      "maxLength": 128
    }
  },
  "NewAccessToken": {
    "name": {
      "minLength": 1,
      "maxLength": 100
    }
  },
  "NewPerson": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    },
    "login": {
      "minLength": 1,
      "maxLength": 254
    }
  },
  "OrganisationForm": {
    "name": {
      "minLength": 1,
      "maxLength": 200
    }
  },
  "PasswordChange": {
    "current_password": {
      "maxLength": 1024
    },
    "new_password": {
      "maxLength": 200
    }
  },
  "ProductionForm": {
    "name": {
      "minLength": 1,
      "maxLength": 200
    }
  },
  "SetPassword": {
    "password": {
      "maxLength": 200
    }
  },
  "SignIn": {
    "login": {
      "maxLength": 254
    },
    "password": {
      "maxLength": 1024
    }
  }
} as const;
